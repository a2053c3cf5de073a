// How the server asks a webhook: admission, the conversion of custom resources. Handed out by the composition root only.
// Follows k8s.io/apiserver/pkg/util/webhook.
import type { JsonObject } from './json.ts'

/** Where a webhook is: `clientConfig` of its configuration. One of `url` and `service` is there. */
export interface HookTarget {
  readonly url?: string | undefined
  readonly service?: {
    readonly namespace: string
    readonly name: string
    readonly path?: string | undefined
    /** Absent: 443. */
    readonly port?: number | undefined
  }
  /** PEM, in base64, as the configuration has it; absent or empty: the CAs of the system. */
  readonly caBundle?: string | undefined
}

/** The target itself is none: a CA bundle or URL that cannot be read. */
export class HookTargetError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'HookTargetError'
  }
}

export interface HookCaller {
  /**
   * POSTs JSON and resolves with the JSON object that is answered, whatever is in it. Rejects with an Error whose message is what
   * upstream's client says (`Post "https://…": …` and others), never with anything else; with HookTargetError before
   * anything was sent.
   */
  call(target: HookTarget, body: Buffer, timeoutSeconds: number): Promise<JsonObject>
}
