// Puts OpenAPI's answers on express: reads what matters of a request, writes status, headers and body.
import type { Request, Response } from 'express'
import type { ResourceRow } from '../../schema/resources.ts'
import type { OpenApi } from './openapi.ts'

/**
 * Serves /openapi/v2 and /openapi/v3; false for other paths. `resources` gives the list of the moment: a new array
 * whenever it changes. `onError` hears of failures that the client is told no more of than a 500.
 */
export function openApiHandler(
  openapi: OpenApi,
  resources: () => readonly ResourceRow[],
  onError: (error: unknown) => void,
): (request: Request, response: Response) => boolean {
  return (request, response) => {
    const { hash } = request.query
    const answer = openapi(resources(), {
      path: request.path,
      hash: typeof hash === 'string' ? hash : undefined,
      accept: request.headers.accept,
      acceptEncoding: request.get('accept-encoding'),
      ifNoneMatch: request.get('if-none-match'),
    })
    if (answer === undefined) return false
    answer.then(
      ({ status, headers, body }) => {
        response.statusCode = status
        for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
        if (status !== 304) response.setHeader('content-length', body.length)
        response.end(request.method === 'HEAD' ? undefined : body)
      },
      (error: unknown) => {
        onError(error)
        response.statusCode = 500
        response.end()
      },
    )
    return true
  }
}
