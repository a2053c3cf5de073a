// A webhook server for tests: what it is asked is kept, what it answers is each test's to say.
import type { ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { JsonObject } from '../../src/machinery/json.ts'
import { makeCertificate, makePrivateKey, readPrivateKey } from '../../src/pki/certificate.ts'

export interface Review extends JsonObject {
  apiVersion: string
  kind: string
  request: JsonObject & { uid: string; object: JsonObject | null; oldObject: JsonObject | null }
}

export type Behave = (review: Review, response: ServerResponse, path: string) => void

const DAY_MS = 24 * 60 * 60 * 1000

/** What a GET asks. */
const NOTHING: Review = { apiVersion: '', kind: '', request: { uid: '', object: null, oldObject: null } }

export interface Asked {
  readonly path: string
  readonly review: Review
  readonly method: string
  readonly authorization: string | undefined
}

export class HookServer {
  readonly reviews: Asked[] = []
  /** Sockets that were opened. */
  connections = 0
  behave: Behave = allow()
  readonly caBundle: string
  readonly #server: Server

  private constructor(server: Server, caBundle: string) {
    this.#server = server
    this.caBundle = caBundle
  }

  static async start(hosts: readonly string[] = ['127.0.0.1'], address = '127.0.0.1'): Promise<HookServer> {
    const key = makePrivateKey()
    const cert = await makeCertificate(
      {
        subject: { commonName: 'webhook', organizations: [] },
        isCa: false,
        usages: ['server'],
        hosts,
        notBefore: new Date(Date.now() - DAY_MS),
        notAfter: new Date(Date.now() + DAY_MS),
      },
      readPrivateKey(key),
    )
    // Connections are the client's to end: that of a slow one is not idle.
    const server = createServer({ key, cert, keepAliveTimeout: DAY_MS })
    const hooks = new HookServer(server, Buffer.from(cert).toString('base64'))
    server.on('secureConnection', () => hooks.connections++)
    server.on('request', (request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        const review = text === '' ? NOTHING : (JSON.parse(text) as Review)
        const { method = '', url = '', headers } = request
        hooks.reviews.push({ path: url, review, method, authorization: headers.authorization })
        hooks.behave(review, response, url)
      })
    })
    await new Promise<void>((resolve) => server.listen(0, address, resolve))
    return hooks
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  url(path = '/hook'): string {
    return `https://127.0.0.1:${this.port}${path}`
  }

  /** A kubeconfig that leads here. */
  kubeconfig(path: string): string {
    const cluster = { server: this.url(path), 'certificate-authority-data': this.caBundle }
    return JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'hooks', cluster }],
      users: [{ name: 'us', user: { token: 'ours' } }],
      contexts: [{ name: 'c', context: { cluster: 'hooks', user: 'us' } }],
      'current-context': 'c',
    })
  }

  /** A webhook of a configuration that asks this server about everything in the namespace. */
  hook(namespace: string, more: JsonObject = {}): JsonObject {
    return {
      name: 'a.hooks.test',
      admissionReviewVersions: ['v1'],
      sideEffects: 'None',
      timeoutSeconds: 5,
      clientConfig: { url: this.url(), caBundle: this.caBundle },
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
      rules: [{ apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*/*'] }],
      ...more,
    }
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections()
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }
}

/** Answers with a review; `top` goes over its own fields. */
export function answer(response: JsonObject, top: JsonObject = {}): Behave {
  return ({ apiVersion, request }, out) => {
    out.setHeader('content-type', 'application/json')
    const body = { apiVersion, kind: 'AdmissionReview', response: { uid: request.uid, ...response }, ...top }
    out.end(JSON.stringify(body))
  }
}

export const allow = (more: JsonObject = {}): Behave => answer({ allowed: true, ...more })
export const deny = (status?: JsonObject): Behave => answer({ allowed: false, ...(status ? { status } : {}) })
export const patch = (operations: unknown): Behave =>
  allow({ patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(operations)).toString('base64') })
