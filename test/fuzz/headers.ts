// Headers: what clients negotiate by, and noise about who they are.
import type { Body } from './bodies.ts'
import type { Random } from './random.ts'

const ACCEPTS = [
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
  'application/vnd.kubernetes.protobuf, application/json',
  'application/json;as=Table;v=v1;g=meta.k8s.io',
  'application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json',
  'application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io',
  'application/yaml;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
  'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
  'application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
  'application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
  'application/vnd.kubernetes.protobuf;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
  'application/json;stream=watch',
  'application/vnd.kubernetes.protobuf;stream=watch',
  'application/json;as=__proto__;v=v1;g=meta.k8s.io',
  'application/json;as=Table;v=v9;g=meta.k8s.io',
  'application/com.github.proto-openapi.spec.v2@v1.0+protobuf',
  'text/html',
  '*/*',
  '*/*;q=0',
  '',
  ',,,;;;===',
  'application/json;q=abc',
  '__proto__',
  `application/json${';a=b'.repeat(500)}`,
  Array.from({ length: 200 }, (_, n) => `a/${n}`).join(','),
]

const NOISE: readonly (readonly [string, readonly string[]])[] = [
  [
    'authorization',
    ['Bearer x', 'Bearer ', 'Basic YTpi', 'bearer', '', 'Bearer a b c', `Bearer ${'x'.repeat(5000)}`],
  ],
  ['impersonate-user', ['x', '', 'system:admin', 'system:serviceaccount:a:b', '\u00e9']],
  ['impersonate-group', ['system:masters', '', 'x']],
  ['impersonate-extra-%', ['x']],
  ['impersonate-extra-scopes', ['x', '']],
  ['impersonate-uid', ['x', '']],
  ['accept-encoding', ['gzip', 'gzip, deflate', 'br', 'identity;q=0', '*', '']],
  ['user-agent', ['', 'curl/8', 'Mozilla/5.0', 'x'.repeat(3000), '/', '\u00e9/1']],
  ['if-none-match', ['*', '"x"', '']],
  ['x-forwarded-for', ['1.2.3.4', 'x']],
  ['audit-id', ['x', 'x'.repeat(500)]],
  ['range', ['bytes=0-1', 'bytes=9-1']],
  ['kubectl-command', ['x']],
  ['x-remote-user', ['admin']],
  ['cookie', ['a=b; c', ';'.repeat(2000)]],
  ['__proto__', ['x']],
]

/** The headers of a request with this body, and some that nobody asked for. */
export function headersOf(body: Body | undefined, random: Random): [string, string][] {
  const headers: [string, string][] = []
  if (body?.contentType) headers.push(['content-type', body.contentType])
  if (body?.encoding !== undefined) headers.push(['content-encoding', body.encoding])
  if (random.chance(0.35)) headers.push(['accept', random.pick(ACCEPTS)])
  while (random.chance(0.08)) {
    const [name, values] = random.pick(NOISE)
    headers.push([name, random.pick(values)])
  }
  return headers
}
