// What a resize may change; the expected texts are those of a kube-apiserver 1.36.3.
import { expect, test } from 'vitest'
import type { JsonObject } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import type { StatusCause } from '../../machinery/status.ts'
import { resizeUpdate } from './podresize.ts'
import { Spot } from './spot.ts'

const container = (requests: JsonObject, name = 'c'): JsonObject => ({ name, resources: { requests } })
const pod = (spec: JsonObject, more: JsonObject = {}): KubeObject =>
  ({ metadata: { name: 'p' }, spec, ...more }) as KubeObject
const one = (requests: JsonObject, name?: string): JsonObject => ({ containers: [container(requests, name)] })

function faults(now: JsonObject, old: KubeObject): string[] {
  const causes: StatusCause[] = []
  resizeUpdate(Spot.of(pod(now), causes), old)
  return causes.map(({ field, message }) => `${field}: ${message}`)
}
const RUNNING = { state: { running: {} } }

test.each<[string, JsonObject, KubeObject, string[]]>([
  ['cpu and memory', one({ cpu: '2', memory: '1' }), pod(one({ cpu: '1', memory: '5' })), []],
  [
    'another resource',
    one({ cpu: '1', gpu: '2' }),
    pod(one({ cpu: '1', gpu: '1' })),
    ['spec: Forbidden: only cpu and memory resources are mutable'],
  ],
  [
    'a request that goes',
    one({ cpu: '1' }),
    pod(one({ cpu: '1', memory: '1' })),
    ['spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed'],
  ],
  [
    'a container by another name',
    one({ cpu: '1' }, 'd'),
    pod(one({ cpu: '1' })),
    ['spec.containers[0].name: Forbidden: containers may not be renamed or reordered on resize'],
  ],
  [
    'a kubelet that does not know of it',
    one({ cpu: '2' }),
    pod(one({ cpu: '1' }), { status: { containerStatuses: [RUNNING] } }),
    ['spec: Forbidden: Pod running on node without support for resize'],
  ],
  [
    'another resource of an init container',
    { ...one({ cpu: '1' }), initContainers: [container({ cpu: '1', gpu: '1' })] },
    pod({ ...one({ cpu: '1' }), initContainers: [container({ cpu: '1' })] }),
    [
      'spec.initContainers[0]: Forbidden: only cpu and memory resources for init or sidecar containers are mutable',
    ],
  ],
  [
    "the pod's own",
    { ...one({ cpu: '1' }), resources: { requests: { cpu: '2', gpu: '2' } } },
    pod({ ...one({ cpu: '1' }), resources: { requests: { cpu: '1', gpu: '1' } } }),
    ['spec: Forbidden: only cpu and memory resources are mutable at pod-level'],
  ],
  [
    'Windows',
    one({ cpu: '2' }),
    pod({ ...one({ cpu: '1' }), os: { name: 'windows' } }),
    ['[]: Forbidden: windows pods cannot be resized'],
  ],
])('%s', (_, now, old, expected) => {
  expect(faults(now, old)).toEqual(expected)
})
