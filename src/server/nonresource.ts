// Everything that is no resource, by express: discovery, OpenAPI, metrics, version, keys of our tokens. Health is apart.
// Follows k8s.io/apiserver/pkg/server/routes.
import express, { type Request, type Response } from 'express'
import { type ErrorLog, respondError } from './respond.ts'
import { aggregatedEncoding } from './discovery-accept.ts'
import { AGGREGATED_PARAMETERS, discoveryDocument, type DiscoverySource } from './discovery.ts'
import type { Exchange } from './exchange.ts'
import { expressApps } from './express-http2.ts'
import type { DocumentTold, HealthCheck } from './health.ts'
import { notAllowed } from './dispatch.ts'
import { negotiate } from './negotiate.ts'
import { segments } from './requestinfo.ts'
import { type BuildInfo, serveVersion } from './version.ts'
import { encode } from '../schema/protobuf/envelope.ts'
import { typeForKind } from '../schema/types.ts'
import { parseGroupVersion } from '../machinery/gvk.ts'
import { badRequest, StatusError } from '../machinery/status.ts'
import { isObject } from '../machinery/json.ts'
import { toYaml } from '../schema/yaml/yaml.ts'

export interface NonResource {
  readonly discovery: DiscoverySource
  readonly checks: readonly HealthCheck[]
  /** Hears of what is counted as resources are. */
  readonly told: DocumentTold
  readonly build: BuildInfo
  /** /openapi/v2 and /openapi/v3; undefined: not its path. */
  openapi(request: Request, response: Response): boolean
  /** Text of /metrics, and its content type. */
  metrics(): Promise<{ contentType: string; body: string }>
  /** Text of /metrics/slis: how checks of health ended. */
  slis(): string
  /** JSON documents at fixed paths: the issuer's configuration and keys. */
  readonly documents: ReadonlyMap<string, { contentType: string; body: string }>
  /** A table of what waits and what is worked on, by the end of its path; undefined: there is none. */
  flows(name: string, details: boolean): Promise<string | undefined>
  readonly log: ErrorLog
}

/** The function that serves them. */
export function nonResourceHandler(site: NonResource): (exchange: Exchange) => void {
  const router = express.Router()
  router.use((request, response, next) => {
    if (request.path.startsWith('//')) return notFound(response)
    next()
  })
  serveVersion(router, site.build)
  router.get('/', (_request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ paths: rootPaths(site) }, null, 2))
  })
  router.get('/metrics', async (_request, response) => {
    const { contentType, body } = await site.metrics()
    response.type(contentType).send(body)
  })
  router.get('/metrics/slis', (_request, response) => {
    response.type('text/plain; version=0.0.4; charset=utf-8').send(site.slis())
  })
  router.get('/debug/api_priority_and_fairness/:name', async (request, response) => {
    const { includeRequestDetails } = request.query
    const text = await site.flows(request.params.name, Boolean(includeRequestDetails))
    if (text === undefined) return notFound(response)
    response.setHeader('content-type', 'text/plain; charset=utf-8')
    response.end(text)
  })
  for (const [path, document] of site.documents) {
    router.get(path, (request, response) => {
      const { contentType, body } = document
      if (!accepts(request.headers.accept, contentType)) return refuse(response, notRepresented(contentType))
      response.setHeader('content-type', contentType)
      response.set('cache-control', 'public, max-age=3600').end(body)
    })
  }
  router.use('/openapi/v3', (request, response, next) => {
    const isOne = request.path.length > 1
    counted(site, isOne ? '/openapi/v3/' : '/openapi/v3', response)
    next()
  })
  router.all(['/api', '/apis', '/api/*rest', '/apis/*rest'], (request, response) =>
    serveDiscovery(site, request, response),
  )
  router.use((request, response) => {
    if (!site.openapi(request, response)) notFound(response)
  })
  return expressApps(router, (exchange, error) => respondError(exchange, expected(error), site.log))
}

/** Express refuses paths that it cannot decode by an error with a status. */
function expected(error: unknown): unknown {
  const isRefusal = error instanceof Error && 'status' in error && error.status === 400
  return isRefusal ? badRequest(error.message) : error
}

function notFound(response: Response): void {
  response
    .status(404)
    .set('x-content-type-options', 'nosniff')
    .type('text/plain; charset=utf-8')
    .send('404 page not found\n')
}

function rootPaths(site: NonResource): string[] {
  const groups = new Set(
    site.discovery.resources.map((r) => (r.group === '' ? '/api/v1' : `/apis/${r.group}/${r.version}`)),
  )
  const parents = [...groups].map((path) => path.slice(0, path.lastIndexOf('/')))
  const checks = site.checks.flatMap((c) => c.on.map((endpoint) => `/${endpoint}/${c.name}`))
  const fixed = [
    '/apis',
    '/apis/',
    '/healthz',
    '/livez',
    '/readyz',
    '/metrics',
    '/metrics/slis',
    '/openapi/v2',
    '/openapi/v3',
    '/version',
  ]
  return [...new Set([...groups, ...parents, ...checks, ...fixed, ...site.documents.keys()])].sort()
}

/** Told of once its answer is out, or has been given up. */
function counted({ told }: NonResource, path: string, response: Response): void {
  const startedAt = performance.now()
  response.once('close', () => told(path, response.statusCode, performance.now() - startedAt))
}

function serveDiscovery(site: NonResource, request: Request, response: Response): void {
  const encoding = aggregatedEncoding(request.headers.accept)
  const document = discoveryDocument(site.discovery, request.path, encoding !== undefined)
  if (!document) {
    // Below a built-in group a missing version is a Status; elsewhere it is a plain page.
    const group = request.path.split('/')[2] ?? ''
    const known =
      request.path.startsWith('/api/') || site.discovery.resources.some((r) => r.group === group && !r.custom)
    if (known) return refuse(response, pathMissing())
    return notFound(response)
  }
  const isRouted = isRoutedDocument(site, request.path)
  if (isRouted && request.method !== 'GET') return refuse(response, notAllowed())
  const aggregated = document.etag !== undefined
  if (aggregated) counted(site, request.path.replace(/\/$/, ''), response)
  let accept
  try {
    accept =
      encoding !== undefined && aggregated
        ? encoding
        : negotiate(request.headers.accept, isRouted ? 'routed document' : 'document').encoding
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
    return refuse(response, error)
  }
  if (document.etag !== undefined) {
    response.set('etag', document.etag).set('vary', 'Accept').set('cache-control', 'public')
    if (request.headers['if-none-match'] === document.etag) return void response.status(304).end()
  }
  const parameters = aggregated ? AGGREGATED_PARAMETERS : ''
  const { body, contentType } = encoded(document.body, accept, document.type)
  response.setHeader('content-type', contentType + parameters)
  response.end(body)
}

/** Versions of built-in groups have routes of their own; the lists of groups, and custom groups, answer to every method. */
function isRoutedDocument({ discovery }: NonResource, path: string): boolean {
  const [root, group = '', version] = segments(path)
  if (root === 'api') return true
  return version !== undefined && discovery.resources.some((r) => r.group === group && !r.custom)
}

/** Parameters and weights do not count. */
function accepts(header: string | undefined, contentType: string): boolean {
  if (!header) return true
  const types = header.split(',').map((type) => type.split(';', 1)[0]?.trim())
  return types.includes('*/*') || types.includes(contentType)
}

const notRepresented = (contentType: string): StatusError =>
  new StatusError({
    code: 406,
    reason: 'NotAcceptable',
    message: `406: Not Acceptable\n\nAvailable representations: ${contentType}`,
    details: {},
  })

const pathMissing = (): StatusError =>
  new StatusError({
    code: 404,
    reason: 'NotFound',
    message: 'the server could not find the requested resource',
    details: {},
  })

function refuse(response: Response, error: StatusError): void {
  response.statusCode = error.code
  response.setHeader('content-type', 'application/json')
  response.end(`${JSON.stringify(error.status)}\n`)
}

function encoded(
  json: Buffer,
  encoding: 'json' | 'yaml' | 'protobuf',
  type: { apiVersion: string; kind: string },
): { contentType: string; body: Buffer } {
  if (encoding === 'json') return { contentType: 'application/json', body: json }
  const value: unknown = JSON.parse(json.toString())
  if (!isObject(value)) throw new Error('discovery documents are objects')
  if (encoding === 'yaml') return { contentType: 'application/yaml', body: Buffer.from(toYaml(value)) }
  const gv = parseGroupVersion(type.apiVersion)
  const message = gv && typeForKind({ ...gv, kind: type.kind })
  if (!message) return { contentType: 'application/json', body: json }
  return { contentType: 'application/vnd.kubernetes.protobuf', body: encode(value, message) }
}
