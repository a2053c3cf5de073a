import { expect, it } from 'vitest'
import { documentLabels, placeOf } from './places.ts'
import { requestInfoOf } from './requestinfo.ts'

const placeAt = (method: string, path: string) => placeOf(requestInfoOf(method, path, new URLSearchParams()))

it.each([
  ['/', '/'],
  ['/healthz', '/healthz'],
  ['/healthz/etcd', '/healthz'],
  ['/healthzzz', 'other'],
  ['/apis/apps', '/apis'],
  ['/api', '/api'],
  ['/openapi/v3/apis/apps/v1', '/openapi/v3'],
  ['//healthz', 'other'],
  [`/${'x'.repeat(100_000)}`, 'other'],
])('a path that is no resource is told by what it lies below: %s', (path, subresource) => {
  expect(placeAt('GET', path)).toMatchObject({ verb: 'GET', subresource, resource: '', scope: '' })
})

it('resources by all that is known of them, methods that are none as other', () => {
  const place = { group: 'apps', version: 'v1', resource: 'deployments', subresource: 'scale' }
  const path = '/apis/apps/v1/namespaces/a/deployments/b/scale'
  expect(placeAt('PUT', path)).toEqual({ ...place, verb: 'PUT', scope: 'resource', component: 'apiserver' })
  expect(placeAt('BREW', '/metrics').verb).toBe('other')
})

it('of documents, those that upstream counts', () => {
  expect(documentLabels('/readyz')).toMatchObject({ verb: 'GET', subresource: '/readyz', component: '' })
  expect(documentLabels('/version')).toBeUndefined()
})
