// Selectors as authorizers see them.
import { expect, it } from 'vitest'
import { requestInfoOf } from './requestinfo.ts'
import { selectorsOf } from './selectors.ts'

const read = (url: string, method = 'GET') => {
  const [path = '', query = ''] = url.split('?')
  const params = new URLSearchParams(query)
  return selectorsOf(requestInfoOf(method, path, params), params)
}
const NODE = { key: 'spec.nodeName', operator: '=', values: ['a'] }

it.each([
  ['/api/v1/pods?fieldSelector=spec.nodeName%3Da', 'GET', { fieldSelector: [NODE] }],
  ['/api/v1/pods?watch=1&fieldSelector=spec.nodeName%3D%3Da', 'GET', { fieldSelector: [NODE] }],
  ['/api/v1/namespaces/n/pods?fieldSelector=spec.nodeName%3Da', 'DELETE', { fieldSelector: [NODE] }],
  [
    '/api/v1/pods?labelSelector=a%20in%20(b,c)',
    'GET',
    { labelSelector: [{ key: 'a', operator: 'in', values: ['b', 'c'] }] },
  ],
  ['/api/v1/pods?fieldSelector=&labelSelector=', 'GET', {}],
  ['/api/v1/pods?fieldSelector=x&labelSelector=(', 'GET', {}],
  ['/api/v1/watch/pods?fieldSelector=spec.nodeName%3Da', 'GET', {}],
  ['/api/v1/namespaces/n/pods/p?fieldSelector=spec.nodeName%3Da', 'GET', {}],
])('%s by %s', (url, method, selectors) => expect(read(url, method)).toEqual(selectors))
