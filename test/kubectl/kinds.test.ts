// kubectl describe and get of every built-in kind: a valid object of each, read by one kubectl.
import { beforeAll, describe, expect, it } from 'vitest'
import type { Resource } from '../../src/schema/resource.ts'
import { collectionOf, sampleOf, storedResources } from '../etcd/kinds.ts'
import { ApiClient } from '../api/client.ts'
import { certificateRequest } from '../kinds/signing.ts'
import { findKubectl, useKubectl } from './driver.ts'

const program = await findKubectl('1.36')

const NAMESPACE = 'default'
const variant = { name: 'one', address: '10.0.0.77', signingRequest: certificateRequest() }
const sampled = storedResources().filter((resource) => sampleOf(resource, variant) !== undefined)

/** "deployments.v1.apps/one", which names the version, too. */
const reference = ({ group, version, name }: Resource, object: string): string =>
  group ? `${name}.${version}.${group}/${object}` : `${name}/${object}`

describe.skipIf(program === undefined)('kubectl and every kind', () => {
  const kubectl = useKubectl(program)
  const made: { readonly resource: Resource; readonly name: string }[] = []

  beforeAll(async () => {
    const client = new ApiClient(kubectl.cluster())
    const account = { metadata: { name: 'default' } }
    await client.ask('POST', `/api/v1/namespaces/${NAMESPACE}/serviceaccounts`, { body: account })
    for (const resource of sampled) {
      const body = sampleOf(resource, { ...variant, name: `one-${resource.version}` })
      const { status, body: object } = await client.ask('POST', collectionOf(resource, NAMESPACE), { body })
      if (status === 201) made.push({ resource, name: object.metadata.name })
    }
    client.close()
  })

  it('has objects of nearly every kind', () => {
    expect(made.length).toBeGreaterThan(50)
  })

  it('describes all of them', async () => {
    const references = made.map(({ resource, name }) => reference(resource, name))
    const { code, stdout, stderr } = await kubectl.run(`describe ${references.join(' ')}`)
    expect(stderr.replaceAll(/^Warning: .*\n/gm, '')).toBe('')
    expect(code).toBe(0)
    const names = stdout.match(/^Name: +\S+$/gm) ?? []
    expect(names).toEqual(made.map(({ name }) => expect.stringMatching(new RegExp(`^Name: +${name}$`))))
    expect(stdout.split('\n').filter((line) => line.includes('%!'))).toEqual([])
  })

  it('shows all of them as tables with headers', async () => {
    const kinds = made.map(({ resource: { group, version, name } }) =>
      group ? `${name}.${version}.${group}` : name,
    )
    const { code, stdout } = await kubectl.run(`get ${[...new Set(kinds)].join(',')} -A -o wide`)
    expect(code).toBe(0)
    for (const { name } of made) expect(stdout).toContain(name)
    const tables = stdout.split('\n\n')
    expect(tables.length).toBe(new Set(kinds).size)
    for (const table of tables) expect(table).toMatch(/^(NAMESPACE +)?(NAME|LAST SEEN) /)
  })

  it('reads the components of the cluster', async () => {
    const { code, stdout, stderr } = await kubectl.run('get componentstatuses')
    expect(code).toBe(0)
    expect(stderr).toBe('Warning: v1 ComponentStatus is deprecated in v1.19+\n')
    expect(stdout).toMatch(/^NAME +STATUS +MESSAGE +ERROR\n/)
    expect(stdout).toMatch(/^etcd-0 +Healthy +ok *$/m)
  })
})
