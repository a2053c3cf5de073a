// Which changes of a pod its node has to be able to follow.
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../machinery/json.ts'
import { attributesOf, FakeLister } from './fixture.ts'
import { NodeDeclaredFeatureValidator } from './nodedeclaredfeatures.ts'

const POD_LEVEL = 'InPlacePodLevelResourcesVerticalScaling'
const INIT = 'InPlacePodVerticalScalingInitContainers'
const plugin = new NodeDeclaredFeatureValidator()

const pod = (generation: number, spec: JsonObject, nodeName = 'n'): JsonObject => ({
  metadata: { name: 'p', generation },
  spec: { nodeName, containers: [{ name: 'c' }], ...spec },
})
const whole = (cpu: string): JsonObject => ({ resources: { requests: { cpu } } })
const init = (cpu: string, more: JsonObject = {}): JsonObject => ({
  initContainers: [{ name: 'i', resources: { requests: { cpu } }, ...more }],
})

/** Asks about the change on a node that declares these features; undefined: there is none. */
function change(old: JsonObject, object: JsonObject, declaredFeatures?: string[]): void {
  const lister = new FakeLister()
  if (declaredFeatures) lister.put('nodes', { metadata: { name: 'n' }, status: { declaredFeatures } })
  const attributes = attributesOf({
    operation: 'UPDATE',
    resource: 'pods',
    subresource: 'resize',
    old,
    object,
  })
  expect(plugin.handles(attributes)).toBe(true)
  plugin.validate(attributes, lister)
}

describe('NodeDeclaredFeatureValidator', () => {
  it.each([
    ['of the pod as a whole', whole('1'), whole('2'), POD_LEVEL],
    ['of an init container', init('1'), init('2'), INIT],
    ['of both', { ...whole('1'), ...init('1') }, { ...whole('2'), ...init('2') }, `${POD_LEVEL}, ${INIT}`],
  ])('a resize %s needs a node that declares it', (_, old, now, features) => {
    const refused = `pod update requires features ${features} which are not available on node "n"`
    expect(() => change(pod(1, old), pod(2, now), [])).toThrow(refused)
    expect(() => change(pod(1, old), pod(2, now), [POD_LEVEL, INIT])).not.toThrow()
    expect(() => change(pod(1, old), pod(2, now))).toThrow('node "n" not found')
    // The spec is as it was, or the pod is nowhere yet.
    expect(() => change(pod(1, old), pod(1, now), [])).not.toThrow()
    expect(() => change(pod(1, old, ''), pod(2, now, ''), [])).not.toThrow()
  })

  it('the same amount in other words, a sidecar, and a first container need nothing', () => {
    expect(() => change(pod(1, whole('1')), pod(2, whole('1000m')), [])).not.toThrow()
    const sidecar = { restartPolicy: 'Always' }
    expect(() => change(pod(1, init('1', sidecar)), pod(2, init('2', sidecar)), [])).not.toThrow()
    const container = (cpu: string) => ({ containers: [{ name: 'c', resources: { requests: { cpu } } }] })
    expect(() => change(pod(1, container('1')), pod(2, container('2')), [])).not.toThrow()
  })
})
