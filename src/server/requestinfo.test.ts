import { describe, expect, it } from 'vitest'
import { requestInfoOf } from './requestinfo.ts'

const info = (method: string, url: string) => {
  const [path = '', query = ''] = url.split('?')
  return requestInfoOf(method, path, new URLSearchParams(query))
}
const resource = (method: string, url: string) => {
  const { verb, group, version, namespace, resource: name, name: object, subresource } = info(method, url)
  return [verb, group, version, namespace, name, object, subresource].join('|')
}

describe('paths of resources', () => {
  it.each([
    ['GET', '/api/v1/namespaces/n/pods', 'list||v1|n|pods||'],
    ['GET', '/api/v1/pods', 'list||v1||pods||'],
    ['GET', '/api/v1/namespaces/n/pods/p', 'get||v1|n|pods|p|'],
    ['GET', '/api/v1/namespaces/n/pods/p/log', 'get||v1|n|pods|p|log'],
    ['POST', '/apis/apps/v1/namespaces/n/deployments', 'create|apps|v1|n|deployments||'],
    ['PUT', '/apis/apps/v1/namespaces/n/deployments/d/status', 'update|apps|v1|n|deployments|d|status'],
    ['PATCH', '/apis/apps/v1/namespaces/n/deployments/d', 'patch|apps|v1|n|deployments|d|'],
    ['DELETE', '/api/v1/namespaces/n/pods/p', 'delete||v1|n|pods|p|'],
    ['DELETE', '/api/v1/namespaces/n/pods', 'deletecollection||v1|n|pods||'],
    ['DELETE', '/api/v1/namespaces/n/pods?fieldSelector=metadata.name%3Dp', 'deletecollection||v1|n|pods||'],
    ['GET', '/api/v1/namespaces', 'list||v1||namespaces||'],
    ['GET', '/api/v1/namespaces/n', 'get||v1|n|namespaces|n|'],
    ['PUT', '/api/v1/namespaces/n/finalize', 'update||v1|n|namespaces|n|finalize'],
    ['GET', '/api/v1/namespaces/n/status', 'get||v1|n|namespaces|n|status'],
    ['GET', '/api/v1/nodes/x/', 'get||v1||nodes|x|'],
    ['HEAD', '/api/v1/nodes/x', 'get||v1||nodes|x|'],
  ])('%s %s', (method, url, expected) => expect(resource(method, url)).toBe(expected))
})

describe('watches', () => {
  it.each([
    ['/api/v1/pods?watch=true', 'watch||v1||pods||'],
    ['/api/v1/pods?watch=1', 'watch||v1||pods||'],
    ['/api/v1/pods?watch=false', 'list||v1||pods||'],
    ['/api/v1/watch/namespaces/n/pods', 'watch||v1|n|pods||'],
    ['/api/v1/watch/namespaces/n/pods/p', 'watch||v1|n|pods|p|'],
    ['/api/v1/namespaces/n/pods?watch=true&fieldSelector=metadata.name%3Dp', 'watch||v1|n|pods|p|'],
    ['/api/v1/namespaces/n/pods?fieldSelector=metadata.name%3Dp', 'list||v1|n|pods|p|'],
    ['/api/v1/namespaces/n/pods?fieldSelector=metadata.name!%3Dp', 'list||v1|n|pods||'],
    ['/api/v1/namespaces/n/pods?fieldSelector=metadata.name%3Dq,metadata.name%3Dp', 'list||v1|n|pods|p|'],
    ['/api/v1/namespaces/n/pods?fieldSelector=a!%3Dx%5C,metadata.name%3Dp', 'list||v1|n|pods||'],
    ['/api/v1/namespaces/n/pods?fieldSelector=metadata.name%3D..', 'list||v1|n|pods||'],
    ['/api/v1/watch/namespaces/n/pods?fieldSelector=metadata.name%3Dp', 'watch||v1|n|pods||'],
  ])('%s', (url, expected) => expect(resource('GET', url)).toBe(expected))
})

describe('paths that are no resource', () => {
  it.each([
    '/',
    '/api',
    '/api/v1',
    '/apis',
    '/apis/apps',
    '/apis/apps/v1',
    '/healthz',
    '/openapi/v2',
    '//',
    '/api/',
  ])('%s', (path) => {
    const { isResourceRequest, verb } = info('GET', path)
    expect([isResourceRequest, verb]).toEqual([false, 'get'])
  })
})

it('decodes a path before it is split, as Go does', () => {
  expect(resource('GET', '/api/v1/namespaces/n/pods/a%2Flog')).toBe('get||v1|n|pods|a|log')
  expect(resource('GET', '/api/v1/namespaces/n/pods/%zz')).toBe('get||v1|n|pods|%zz|')
})
