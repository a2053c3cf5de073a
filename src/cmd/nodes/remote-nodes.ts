// Requests that the API server passes on to the kubelet of a node over the network: logs, the node's proxy, and what needs
// a program. Loaded with the first of them.
// Follows k8s.io/kubernetes/pkg/kubelet/client, and k8s.io/apiserver/pkg/registry/generic/rest (streamer.go).
//
// DEVIATION: connections that change their protocol (kubectl exec, attach, port-forward) are asked for as plain requests, so
// that kubelets that would take them refuse them.
import type { IncomingMessage } from 'node:http'
import { Agent, request as httpsRequest, type RequestOptions } from 'node:https'
import { passBody } from '../../aggregator/proxy.ts'
import type { Answer, ApiRequest, Body } from '../../handlers/request.ts'
import { isObject } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { badRequest, StatusError } from '../../machinery/status.ts'
import { fileText } from '../files.ts'
import { connectionFault } from '../webhooks/gofaults.ts'
import type { Identity } from '../apiserver/identity.ts'
import type { KubeletChoice } from '../options.ts'

export interface NodeQuestion {
  readonly node: KubeObject
  /** On the kubelet, without a query. */
  readonly path: string
  /** Of the node, where one is named; undefined: the kubelet's. */
  readonly port: string | undefined
  readonly request: ApiRequest
}

/** Where kubelets listen that do not say where. */
const DEFAULT_PORT = 10250
const ADDRESS_TYPES = ['Hostname', 'InternalDNS', 'InternalIP', 'ExternalDNS', 'ExternalIP']
/** As Go's dialers wait. */
const DIAL_MS = 30_000
const MAX_IDLE_CONNECTIONS = 25
/** As upstream bounds what it reads of a refusal. */
const MAX_REFUSAL_BYTES = 50_000
/** What a kubelet is asked of a log; everything else is the API server's own business. */
const LOG_OPTIONS = 'follow limitBytes previous sinceSeconds sinceTime stream tailLines timestamps'.split(' ')
const METHODS: Readonly<Record<string, string>> = {
  get: 'GET',
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
}

export class RemoteNodes {
  readonly #types: readonly string[]
  readonly #agent: Agent
  /** For clients that say that the kubelet need not show who it is. */
  readonly #trustingAgent: Agent

  constructor(agents: { readonly checking: Agent; readonly trusting: Agent }, types: readonly string[]) {
    this.#agent = agents.checking
    this.#trustingAgent = agents.trusting
    this.#types = types
  }

  /** What the kubelet answers. Rejects with StatusError where it cannot be asked, or has no log. */
  async ask(question: NodeQuestion): Promise<Answer> {
    const { request } = question
    const isLog = request.info.subresource === 'log'
    const { host, port } = this.#addressOf(question.node)
    if (question.port !== undefined && question.port !== String(port)) {
      throw unreachable(request, '', 'no other port of a node is connected than that of its kubelet')
    }
    const query = isLog ? logQuery(request.query) : request.query
    const text = query.toString()
    const path = text === '' ? question.path : `${question.path}?${text}`
    const method = METHODS[request.info.verb] ?? 'GET'
    const body = method === 'GET' ? undefined : await request.body()
    const isTrusting = isLog && request.query.get('insecureSkipTLSVerifyBackend') === 'true'
    const agent = isTrusting ? this.#trustingAgent : this.#agent
    let response: IncomingMessage
    try {
      response = await send({ host, port, method, path, agent }, body)
    } catch (error) {
      const fault = connectionFault(error as NodeJS.ErrnoException, { host, port, hostname: host })
      throw unreachable(request, `Get "https://${hostText(host)}:${port}${path}": `, fault)
    }
    if (isLog) await checkLog(response, request.info.name)
    const { statusCode: status = 502, headers } = response
    const contentType = headers['content-type'] ?? 'text/plain; charset=utf-8'
    return { status, contentType, stream: (sink) => void passBody(response, sink) }
  }

  #addressOf({ status }: KubeObject): { host: string; port: number } {
    const { addresses, daemonEndpoints } = isObject(status) ? status : {}
    const known = (Array.isArray(addresses) ? addresses : []).filter(isObject)
    for (const type of this.#types) {
      const found = known.find((one) => one['type'] === type)?.['address']
      if (typeof found === 'string') return { host: found, port: portOf(daemonEndpoints) }
    }
    const shown = known.map((one) => `{${String(one['type'])} ${String(one['address'])}}`).join(' ')
    throw failure(500, '', `no preferred addresses found; known addresses: [${shown}]`)
  }
}

function portOf(endpoints: unknown): number {
  const endpoint = isObject(endpoints) ? endpoints['kubeletEndpoint'] : undefined
  const port = isObject(endpoint) ? endpoint['Port'] : undefined
  return typeof port === 'number' && port > 0 ? port : DEFAULT_PORT
}

const hostText = (host: string): string => (host.includes(':') ? `[${host}]` : host)

const failure = (code: number, reason: string, message: string): StatusError =>
  new StatusError({ code, reason, message })

function unreachable({ info: { subresource } }: ApiRequest, asked: string, fault: string): StatusError {
  if (subresource === 'log') return failure(500, '', asked + fault)
  if (subresource === 'proxy')
    return failure(503, 'ServiceUnavailable', `error trying to reach service: ${fault}`)
  return failure(500, '', `error dialing backend: ${fault}`)
}

function logQuery(query: URLSearchParams): URLSearchParams {
  const kept = new URLSearchParams()
  for (const key of LOG_OPTIONS) for (const value of query.getAll(key)) kept.append(key, value)
  return kept
}

function send(options: RequestOptions, body: Body | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers =
      body && body.bytes.length > 0
        ? { 'content-type': body.mediaType, 'content-length': body.bytes.length }
        : {}
    const sent = httpsRequest({ ...options, headers, timeout: DIAL_MS })
    sent.on('response', (response) => {
      // A log that goes on may be silent for as long as it likes.
      sent.setTimeout(0)
      resolve(response)
    })
    sent.on('timeout', () => sent.destroy(new Error('i/o timeout')))
    sent.on('error', reject)
    sent.end(body?.bytes)
  })
}

/** Rejects with what the kubelet says where it gives no log. */
async function checkLog(response: IncomingMessage, pod: string): Promise<void> {
  const { statusCode: code = 502 } = response
  if (code >= 200 && code <= 206) return
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_REFUSAL_BYTES) break
    chunks.push(chunk)
  }
  const text = Buffer.concat(chunks).toString('utf8')
  if (code === 400) throw badRequest(text)
  if (code === 500) throw failure(500, 'InternalError', `Internal error occurred: ${text}`)
  throw generic(code, text, pod)
}

/** Reasons and messages by codes, as upstream words answers of servers that say nothing it knows. */
const WORDS: Readonly<Record<number, readonly [reason: string, message: string]>> = {
  401: ['Unauthorized', 'the server has asked for the client to provide credentials'],
  404: ['NotFound', 'the server could not find the requested resource'],
  405: ['MethodNotAllowed', 'the server does not allow this method on the requested resource'],
  422: ['Invalid', 'the server rejected our request due to an error in our request'],
  503: ['ServiceUnavailable', 'the server is currently unable to handle the request'],
}

function generic(code: number, text: string, pod: string): StatusError {
  const [reason, words] = WORDS[code] ?? wordless(code, text)
  const message = `${words} ( pods/log ${pod})`
  return new StatusError({ code, reason, message, details: { name: pod, kind: 'pods/log' } })
}

function wordless(code: number, text: string): readonly [reason: string, message: string] {
  if (code === 403) return ['Forbidden', text]
  const said = JSON.stringify(text)
  return code > 500
    ? ['InternalError', `an error on the server (${said}) has prevented the request from succeeding`]
    : ['', `the server responded with the status code ${code} but did not return more information`]
}

/** Reads the certificates. Throws StartError for files that cannot be used. */
export async function remoteNodes(
  { certificateAuthorityFile, preferredAddressTypes }: KubeletChoice,
  identity: Pick<Identity, 'kubeletClient'>,
): Promise<RemoteNodes> {
  const pair = await identity.kubeletClient()
  const common = { keepAlive: true, maxFreeSockets: MAX_IDLE_CONNECTIONS, ...pair }
  const trusting = new Agent({ ...common, rejectUnauthorized: false })
  // As upstream: without CAs to check them by, kubelets are believed.
  const checking =
    certificateAuthorityFile === undefined
      ? new Agent({ ...common, rejectUnauthorized: false })
      : new Agent({ ...common, ca: fileText(certificateAuthorityFile) })
  return new RemoteNodes({ checking, trusting }, preferredAddressTypes ?? ADDRESS_TYPES)
}
