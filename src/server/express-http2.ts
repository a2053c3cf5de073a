// Express on both protocols: one router in two apps. As it comes, express gives its requests prototypes that stem from
// HTTP/1's, on which HTTP/2's own properties are missing. The HTTP/2 app gets prototypes made of node's HTTP/2 classes
// with express's properties on top.
import express, { type Express, type Router } from 'express'
import { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Exchange } from './exchange.ts'
import { baseHeaders } from './respond.ts'

type Serve = (request: IncomingMessage, response: ServerResponse, next: (error: unknown) => void) => void

/** Serves exchanges of either protocol with the router; `failed` answers where a route throws. */
export function expressApps(
  router: Router,
  failed: (exchange: Exchange, error: unknown) => void,
): (exchange: Exchange) => void {
  const http1 = appOf(router)
  const http2 = appOf(router)
  const request = withPropertiesOf(Http2ServerRequest.prototype, express.request, http2.request)
  const response = withPropertiesOf(Http2ServerResponse.prototype, express.response, http2.response)
  Object.assign(http2, { request, response })
  return (exchange) => {
    const pair = exchange.node()
    // What was authorized is what is served: express would take what follows a number sign for no part of the path.
    pair.request.url = exchange.url.replaceAll('#', '%23')
    for (const [name, value] of Object.entries(baseHeaders(exchange)))
      pair.response.setHeader(name, value as string)
    const app = pair.request instanceof Http2ServerRequest ? http2 : http1
    ;(app as unknown as Serve)(pair.request, pair.response, (error) => failed(exchange, error))
  }
}

function appOf(router: Router): Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.set('query parser', 'simple')
  app.use(router)
  return app
}

/** An object of `base`'s kind with all that express adds, and what the app hangs on its own copy. */
function withPropertiesOf(base: object, ...from: object[]): object {
  const made: object = Object.create(base) as object
  for (const source of from) Object.defineProperties(made, Object.getOwnPropertyDescriptors(source))
  return made
}
