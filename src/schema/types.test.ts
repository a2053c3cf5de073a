import { describe, expect, it } from 'vitest'
import { typeForKind, typeOf } from './types.ts'

describe('typeOf', () => {
  it('keeps the order of the Go struct', () => {
    const names = typeOf('io.k8s.api.core.v1.Pod')?.fields.map((field) => field.name)
    expect(names).toEqual(['kind', 'apiVersion', 'metadata', 'spec', 'status'])
  })

  it('knows lists, keys and merge strategies', () => {
    const volumes = typeOf('io.k8s.api.core.v1.PodSpec')?.byName.get('volumes')
    expect(volumes?.type).toMatchObject({ kind: 'list', listType: 'map', mapKeys: ['name'] })
    expect(volumes).toMatchObject({
      patchStrategy: ['merge', 'retainKeys'],
      patchMergeKey: 'name',
      number: 1,
    })
  })

  it('nests inlined structs in protobuf', () => {
    const rule = typeOf('io.k8s.api.admissionregistration.v1.NamedRuleWithOperations')?.byName.get('scope')
    expect(rule).toMatchObject({ number: 4, protoType: 'string', pointer: true })
    expect(rule?.embedded?.map(({ number }) => number)).toEqual([2, 2])
  })

  it('drops empty scalars but no plain structs', () => {
    const pod = typeOf('io.k8s.api.core.v1.Pod')
    expect(pod?.byName.get('status')?.omitEmpty).toBe(false)
    expect(typeOf('io.k8s.api.core.v1.ObjectReference')?.byName.get('name')?.omitEmpty).toBe(true)
    expect(
      typeOf('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta')?.byName.get('creationTimestamp')?.omitEmpty,
    ).toBe(true)
  })

  it('resolves recursive types', () => {
    const props = typeOf('io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps')
    expect(props?.byName.get('not')?.type).toBe(props)
  })

  it.each([
    '__proto__',
    'toString',
    'io.k8s.api.core.v1.__proto__',
    'io.k8s.api.core.v1.toString',
    '../x.y',
    '',
  ])('knows no %j', (name) => expect(typeOf(name)).toBeUndefined())
})

describe('typeForKind', () => {
  it('finds kinds of all groups', () => {
    expect(typeForKind({ group: 'apps', version: 'v1', kind: 'Deployment' })?.name).toBe(
      'io.k8s.api.apps.v1.Deployment',
    )
    expect(typeForKind({ group: '', version: 'v1', kind: 'Pod' })?.message).toBe('k8s.io.api.core.v1.Pod')
    expect(typeForKind({ group: 'extensions', version: 'v1beta1', kind: 'Ingress' })?.name).toContain(
      'extensions',
    )
    expect(typeForKind({ group: 'meta.k8s.io', version: 'v1', kind: 'Table' })?.byName.has('rows')).toBe(true)
  })

  it('finds the options of every group version', () => {
    const name = 'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions'
    expect(typeForKind({ group: 'apps', version: 'v1', kind: 'DeleteOptions' })?.name).toBe(name)
    expect(typeForKind({ group: 'example.com', version: 'v7', kind: 'DeleteOptions' })?.name).toBe(name)
  })

  it('takes no struct for a kind, nor an unknown group', () => {
    expect(typeForKind({ group: '', version: 'v1', kind: 'ObjectReference' })).toBeUndefined()
    expect(typeForKind({ group: 'apps.example.com', version: 'v1', kind: 'Deployment' })).toBeUndefined()
    expect(typeForKind({ group: '__proto__', version: 'v1', kind: 'Pod' })).toBeUndefined()
  })
})
