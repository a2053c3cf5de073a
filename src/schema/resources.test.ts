import { describe, expect, it } from 'vitest'
import {
  bootstrapPolicy,
  builtinResources,
  columnsOf,
  findKind,
  findResource,
  releasedResources,
} from './resources.ts'
import { typeOf } from './types.ts'

describe('resources', () => {
  it('are those of stable versions, core first', () => {
    expect(builtinResources()[0]).toMatchObject({ group: '', version: 'v1', name: 'bindings' })
    expect(builtinResources().some(({ version }) => version !== 'v1' && version !== 'v2')).toBe(false)
    expect(releasedResources().length).toBeGreaterThan(builtinResources().length)
  })

  it('are found by name and by kind', () => {
    expect(findResource('', 'v1', 'nodes')).toMatchObject({
      storagePrefix: 'minions',
      namespaced: false,
      shortNames: ['no'],
    })
    expect(findResource('events.k8s.io', 'v1', 'events')?.storage).toEqual({ group: '', version: 'v1' })
    expect(
      findKind({ group: 'autoscaling', version: 'v2', kind: 'HorizontalPodAutoscaler' })?.storage.version,
    ).toBe('v2')
    expect(findResource('apps', 'v1', 'toString')).toBeUndefined()
  })

  it('all have a type, as have their subresources', () => {
    const definitions = releasedResources().flatMap((row) =>
      [row, ...row.subresources].map((one) => one.definition),
    )
    expect(definitions.filter((definition) => typeOf(definition) === undefined)).toEqual([])
  })

  it('have columns', () => {
    expect(columnsOf({ group: '', version: 'v1', name: 'pods' }).map(({ name }) => name)).toContain('Ready')
    expect(columnsOf({ group: 'example.com', version: 'v1', name: 'widgets' })).toEqual([])
  })
})

describe('bootstrapPolicy', () => {
  it('has cluster-admin and its binding, roles first', () => {
    const names = bootstrapPolicy().map((object) => `${object.kind} ${object.metadata.name}`)
    expect(names).toContain('ClusterRole cluster-admin')
    expect(names.indexOf('ClusterRoleBinding cluster-admin')).toBeGreaterThan(
      names.indexOf('ClusterRole cluster-admin'),
    )
  })
})
