// The messages are those that kube-apiserver 1.36.3 gave to strategic merge patches.
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../machinery/json.ts'
import { restoreFault } from './restore-fault.ts'
import type { StructType } from './type.ts'
import { typeOf } from './types.ts'

const pod = typeOf('io.k8s.api.core.v1.Pod') as StructType
const secret = typeOf('io.k8s.api.core.v1.Secret') as StructType
const container = (fields: JsonObject): JsonObject => ({ spec: { containers: [{ name: 'c', ...fields }] } })

const QUANTITY = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"

describe('what cannot be restored', () => {
  it.each<[JsonObject, string]>([
    [{ metadata: { labels: 'invalid' } }, 'cannot restore map from string'],
    [{ metadata: { finalizers: 'yes' } }, 'cannot restore slice from string'],
    [{ metadata: { finalizers: [1] } }, 'cannot convert int64 to string'],
    [{ metadata: { ownerReferences: [1] } }, 'cannot restore struct from: int64'],
    [{ metadata: { deletionTimestamp: 5 } }, 'json: cannot unmarshal number into Go value of type string'],
    [{ spec: { activeDeadlineSeconds: 1.5 } }, 'cannot convert float64 to int64'],
    [{ spec: { activeDeadlineSeconds: 'x' } }, 'unrecognized type: int64'],
    [{ spec: { priority: 1.5 } }, 'cannot convert float64 to int32'],
    [{ spec: { restartPolicy: 1 } }, 'cannot convert int64 to v1.RestartPolicy'],
    [{ spec: { restartPolicy: 1.5 } }, 'unrecognized type: string'],
    [{ spec: { restartPolicy: {} } }, 'unrecognized type: string'],
    [{ spec: { hostNetwork: 1 } }, 'unrecognized type: bool'],
    [{ spec: { hostNetwork: [] } }, 'unrecognized type: bool'],
    [{ spec: { nodeSelector: [] } }, 'cannot restore map from slice'],
    [{ spec: { securityContext: { supplementalGroups: ['x'] } } }, 'unrecognized type: int64'],
    [container({ resources: { limits: { cpu: {} } } }), QUANTITY],
    [
      container({ livenessProbe: { httpGet: { port: true } } }),
      'json: cannot unmarshal bool into Go value of type int32',
    ],
    [container({ ports: [{ containerPort: 80, protocol: 3 }] }), 'cannot convert int64 to v1.Protocol'],
  ])('of a pod: %j', (object, message) => expect(restoreFault(pod, object)).toBe(message))

  it.each<[JsonObject, string]>([
    [{ data: { a: '!' } }, 'error decoding from json: illegal base64 data at input byte 0'],
    [{ data: { a: 1 } }, 'cannot restore slice from int64'],
    [{ type: 5 }, 'cannot convert int64 to v1.SecretType'],
  ])('of a secret: %j', (object, message) => expect(restoreFault(secret, object)).toBe(message))

  it('is what comes first in the struct, not in the text', () => {
    const object = { spec: { hostNetwork: 1 }, metadata: { labels: 'x' } }
    expect(restoreFault(pod, object)).toBe('cannot restore map from string')
  })
})

it('finds nothing in what fits, nor in nulls and fields that are not known', () => {
  const object = {
    metadata: { labels: null, name: 'p' },
    spec: { containers: [null], unknown: 1 },
    ['__proto__']: 1,
  }
  expect(restoreFault(pod, object)).toBeUndefined()
})
