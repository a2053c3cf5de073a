// Annotations of pods that mean something; the expected texts are those of a kube-apiserver 1.36.3.
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import type { StatusCause } from '../../machinery/status.ts'
import { adoptAppArmor } from '../podprofiles.ts'
import { podWarnings, templateWarnings } from '../warnings/pods.ts'
import { podAnnotations, podAnnotationsUpdate, profilesMatch } from './podannotations.ts'
import { Spot } from './spot.ts'

const SECCOMP = 'seccomp.security.alpha.kubernetes.io/pod'
const OF_C = 'container.seccomp.security.alpha.kubernetes.io/c'
const APPARMOR = 'container.apparmor.security.beta.kubernetes.io/c'
const MIRROR = 'kubernetes.io/config.mirror'
const COST = 'controller.kubernetes.io/pod-deletion-cost'

function pod(annotations: JsonObject, container: JsonObject = {}, spec: JsonObject = {}): KubeObject {
  return {
    metadata: { name: 'p', annotations },
    spec: { containers: [{ name: 'c', ...container }], ...spec },
  } as KubeObject
}
type Rule = (annotations: Spot, spec: Spot) => void
function faults(object: KubeObject, rule: Rule): string[] {
  const causes: StatusCause[] = []
  const spot = Spot.of(object, causes)
  rule(spot.at('metadata').at('annotations'), spot.at('spec'))
  return causes.map(({ field, message }) => `${field}: ${message}`)
}

test.each<[JsonObject, string[]]>([
  [{}, []],
  [
    { [MIRROR]: 'x' },
    [
      `metadata.annotations[${MIRROR}]: Invalid value: "x": must set spec.nodeName if mirror pod annotation is set`,
    ],
  ],
  [{ [COST]: '-5' }, []],
  [{ [COST]: '+5' }, [`metadata.annotations[${COST}]: Invalid value: "+5": must be a 32bit integer`]],
  [
    { [COST]: '2147483648' },
    [`metadata.annotations[${COST}]: Invalid value: "2147483648": must be a 32bit integer`],
  ],
  [{ [SECCOMP]: 'docker/default', [OF_C]: 'localhost/x' }, []],
  [
    { [SECCOMP]: 'bad' },
    [`metadata.annotations.${SECCOMP}: Invalid value: "bad": must be a valid seccomp profile`],
  ],
  [
    { [OF_C]: 'localhost//x' },
    [`metadata.annotations.${OF_C}: Invalid value: "/x": must be a relative path`],
  ],
  [{ [APPARMOR]: 'localhost/x' }, []],
  [
    { [APPARMOR]: 'bad' },
    [`metadata.annotations[${APPARMOR}]: Invalid value: "bad": invalid AppArmor profile name: "bad"`],
  ],
  [
    { [`${APPARMOR}2`]: '' },
    [`metadata.annotations[${APPARMOR}2]: Invalid value: "c2": container not found`],
  ],
])('annotations %j: %j', (annotations, expected) => {
  expect(faults(pod(annotations), podAnnotations)).toEqual(expected)
})

test('what was there stays, and nothing is added', () => {
  const before = { [MIRROR]: 'x', [APPARMOR]: 'unconfined', free: 'a' }
  const check = (now: JsonObject, old: JsonObject): string[] =>
    faults(pod(now, {}, { nodeName: 'n' }), (annotations, spec) =>
      podAnnotationsUpdate(annotations, old, spec),
    )
  expect(check(before, before)).toEqual([])
  expect(check({ [APPARMOR]: '' }, before)).toEqual([
    `metadata.annotations[${MIRROR}]: Forbidden: may not remove or update mirror pod annotation`,
    `metadata.annotations[${APPARMOR}]: Forbidden: may not remove or update AppArmor annotations`,
  ])
  expect(check(before, {})).toEqual([
    `metadata.annotations[${MIRROR}]: Forbidden: may not add mirror pod annotation`,
    `metadata.annotations[${APPARMOR}]: Forbidden: may not add AppArmor annotations`,
  ])
})

const profile = (type: string, localhostProfile?: string): JsonObject =>
  localhostProfile === undefined ? { type } : { type, localhostProfile }
const within = (field: string, value: JsonObject): JsonObject => ({ securityContext: { [field]: value } })

describe('profiles that are said twice', () => {
  test.each<[string, JsonObject, string[]]>([
    ['runtime/default', profile('RuntimeDefault'), []],
    ['docker/default', profile('RuntimeDefault'), []],
    ['localhost/x', profile('Localhost', 'x'), []],
    [
      'unconfined',
      profile('RuntimeDefault'),
      ['type: Forbidden: seccomp type in annotation and field must match'],
    ],
    [
      'localhost/y',
      profile('Localhost', 'x'),
      ['localhostProfile: Forbidden: seccomp profile in annotation and field must match'],
    ],
  ])('seccomp %s and %j', (text, field, expected) => {
    const of = (list: string): string[] =>
      expected.map((line) => `${list}.securityContext.seccompProfile.${line}`)
    expect(faults(pod({ [OF_C]: text }, within('seccompProfile', field)), profilesMatch)).toEqual(
      of('spec.containers[0]'),
    )
    expect(faults(pod({ [SECCOMP]: text }, {}, within('seccompProfile', field)), profilesMatch)).toEqual(
      of('spec'),
    )
  })
  test('AppArmor of the pod counts for its containers, but not on Windows', () => {
    const spec = within('appArmorProfile', profile('RuntimeDefault'))
    expect(faults(pod({ [APPARMOR]: 'unconfined' }, {}, spec), profilesMatch)).toEqual([
      'spec.containers[0].securityContext.appArmorProfile.type: Forbidden: apparmor type in annotation and field must match',
    ])
    expect(
      faults(pod({ [APPARMOR]: 'unconfined' }, {}, { ...spec, os: { name: 'windows' } }), profilesMatch),
    ).toEqual([])
  })
})

test('annotations of AppArmor become fields, with a warning', () => {
  const adopted = (annotation: string, spec: JsonObject = {}): [unknown, string[]] => {
    const warnings: string[] = []
    const object = pod({ [APPARMOR]: annotation }, {}, spec)
    adoptAppArmor(object, { warn: (message) => void warnings.push(message) })
    const [container] = (object['spec'] as JsonObject)['containers'] as JsonObject[]
    return [container?.['securityContext'], warnings]
  }
  const warning = `metadata.annotations[${APPARMOR}]: deprecated since v1.30; use the "appArmorProfile" field instead`
  expect(adopted('localhost/x')).toEqual([{ appArmorProfile: profile('Localhost', 'x') }, [warning]])
  expect(adopted('bad')).toEqual([undefined, [warning]])
  expect(adopted('unconfined', within('appArmorProfile', profile('Unconfined')))).toEqual([undefined, []])
  expect(adopted('unconfined', { os: { name: 'windows' } })).toEqual([undefined, []])
})

test('annotations that do nothing are warned of', () => {
  const annotations = { [SECCOMP]: 'unconfined', [OF_C]: 'unconfined', [APPARMOR]: 'unconfined' }
  const unused = (at: string, key: string): string =>
    `${at}.annotations[${key}]: non-functional in v1.27+; use the "seccompProfile" field instead`
  expect([...podWarnings(pod(annotations), undefined)]).toEqual([
    unused('metadata', SECCOMP),
    unused('metadata', OF_C),
  ])
  const at = 'spec.template.metadata'
  const owner = { metadata: { name: 'd' }, spec: { template: pod(annotations) } } as unknown as KubeObject
  expect([...templateWarnings(['spec', 'template'])(owner, undefined)]).toEqual([
    unused(at, SECCOMP),
    unused(at, OF_C),
    `${at}.annotations[${APPARMOR}]: deprecated since v1.30; use the "appArmorProfile" field instead`,
  ])
  const context = within('seccompProfile', profile('Unconfined'))
  expect([...podWarnings(pod({ [SECCOMP]: 'unconfined' }, {}, context), undefined)]).toEqual([])
})
