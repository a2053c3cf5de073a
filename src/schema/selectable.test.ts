import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parseFieldSelector } from '../machinery/fields.ts'
import { selectableFields } from './selectable.ts'

const matches = (resource: [string, string], selector: string, object: object): boolean => {
  const selectable = selectableFields(...resource)
  return parseFieldSelector(selector, selectable.convert).matches(
    selectable.read({ metadata: { name: 'a', namespace: 'n' }, ...object }),
  )
}

describe('selectableFields', () => {
  it('reads pods', () => {
    const pod = {
      spec: { nodeName: 'node', hostNetwork: true },
      status: { phase: 'Running', podIPs: [{ ip: '1.2.3.4' }] },
    }
    expect(matches(['', 'pods'], 'spec.host=node,status.phase!=Failed', pod)).toBe(true)
    expect(matches(['', 'pods'], 'spec.hostNetwork=true,status.podIP=1.2.3.4', pod)).toBe(true)
    // Supported as a label, but upstream never fills it.
    expect(matches(['', 'pods'], 'status.podIPs=1.2.3.4', pod)).toBe(false)
    expect(matches(['', 'pods'], 'spec.hostNetwork=false', {})).toBe(true)
  })

  it('reads events of both groups from either form', () => {
    const core = { involvedObject: { name: 'p' }, reportingComponent: 'kubelet', type: 'Normal' }
    const events = { regarding: { name: 'p' }, reportingController: 'kubelet', type: 'Normal' }
    for (const object of [core, events]) {
      expect(matches(['', 'events'], 'involvedObject.name=p,source=kubelet', object)).toBe(true)
      expect(
        matches(['events.k8s.io', 'events'], 'regarding.name=p,reportingController=kubelet', object),
      ).toBe(true)
    }
  })

  it('counts and flags that are absent read as zero and false', () => {
    expect(matches(['batch', 'jobs'], 'status.successful=0', {})).toBe(true)
    expect(matches(['', 'nodes'], 'spec.unschedulable=false', {})).toBe(true)
    expect(matches(['', 'replicationcontrollers'], 'status.replicas=2', { status: { replicas: 2 } })).toBe(
      true,
    )
    expect(matches(['', 'secrets'], 'type=Opaque', { type: 'Opaque' })).toBe(true)
    expect(matches(['apps', 'deployments'], 'metadata.name=a,metadata.namespace=n', {})).toBe(true)
  })

  it.each([
    [['', 'pods'], 'field label not supported: x'],
    [['', 'constructor'], '"x" is not a known field selector: only "metadata.name", "metadata.namespace"'],
    [['batch', 'jobs'], 'field label "x" not supported for Job'],
    [
      ['resource.k8s.io', 'resourceslices', 'v1beta2'],
      'field label not supported for resource.k8s.io/v1beta2, Kind=ResourceSlice: x',
    ],
  ] as const)('%j refuses what it does not know', (resource, message) => {
    const [group, name, version] = resource
    const selectable = selectableFields(group, name, version)
    expect(() => parseFieldSelector('x=1', selectable.convert)).toThrow(message)
    expect(() => selectable.convert('__proto__', '')).toThrow('__proto__')
  })
})

const ORACLE = new URL('../../../shared/oracle/', import.meta.url)

describe.skipIf(!existsSync(ORACLE))('recorded answers to field selectors by kind', () => {
  it('refuse and accept the same', () => {
    type Scenario = { name: string; steps: { do?: string }[] }
    const { scenarios } = JSON.parse(readFileSync(new URL('scenarios/list.json', ORACLE), 'utf8')) as {
      scenarios: Scenario[]
    }
    const recorded = JSON.parse(readFileSync(new URL('recorded/list.json', ORACLE), 'utf8')) as Record<
      string,
      { status: number; body?: { message?: string } }[]
    >
    let compared = 0
    for (const { name, steps } of scenarios.filter((s) => s.name.startsWith('field selectors'))) {
      steps.forEach((step, i) => {
        const match =
          /^GET \/(?:api|apis\/([^/]+))\/([^/]+)\/(?:namespaces\/[^/]+\/)?([a-z]+)\?fieldSelector=([^&]*)/
        const [, group = '', version, resource = '', selector = ''] = match.exec(step.do ?? '') ?? []
        const answer = recorded[name]?.[i]
        if (resource === '' || answer === undefined) return
        compared++
        const parse = (): unknown =>
          parseFieldSelector(decodeURIComponent(selector), selectableFields(group, resource, version).convert)
        if (answer.status === 200) parse()
        else expect(parse).toThrow(answer.body?.message)
      })
    }
    expect(compared).toBeGreaterThan(15)
  })
})
