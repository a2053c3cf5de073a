// Requests that the API server passes on to a node: those about simulated nodes of this process are answered without a
// network. Follows the role of k8s.io/apimachinery/pkg/util/proxy between the API server and a kubelet.
import type { Answer, ByteSink } from '../../handlers/request.ts'
import type { KubeletReply, KubeletRequest } from '../../kubelet/endpoints.ts'
import type { LogReader } from '../../kubelet/logreader.ts'
import type { RequestInfo } from '../../machinery/attributes.ts'

/** What the node of this name answers; undefined: nobody here knows it. */
export type NodeAnswers = (node: string, request: KubeletRequest) => Answer | undefined

/** A client that takes nothing while a log goes on may be behind by this much, then it is cut off. */
const MAX_BACKLOG_BYTES = 4 * 1024 * 1024

/** Where on the node a request leads; what stands behind /proxy goes on as it is. */
export function pathOnNode(path: string, { subresource, path: asked }: RequestInfo): string {
  if (subresource !== 'proxy') return path
  const [, rest = ''] = /^\/api\/v1\/nodes\/[^/]+\/proxy(\/.*)?$/.exec(asked) ?? []
  return rest || '/'
}

/** The kubelet's reply as the server's answer. */
export function answerOf({ contentType, body }: KubeletReply): Answer {
  if (typeof body === 'string') return { status: 200, contentType, body: Buffer.from(body) }
  if (!body.follows) return { status: 200, contentType, body: Buffer.from(body.now()) }
  return { status: 200, contentType, stream: (sink) => follow(body, sink) }
}

function follow(log: LogReader, sink: ByteSink): void {
  const stop = log.follow({
    write: (text) => {
      if (sink.backlog > MAX_BACKLOG_BYTES) sink.abort()
      else sink.write(Buffer.from(text))
    },
    end: () => sink.end(),
  })
  sink.onClose(stop)
}
