// The valid objects that objects.ts starts from: those of the tests, those that upstream took when the scenarios
// beside the repository were recorded, and the fully populated object of each kind, whose fields are added to them.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { apiVersionOf } from '../../src/machinery/gvk.ts'
import type { Json, JsonObject } from '../../src/machinery/json.ts'
import { packageRoot } from '../../src/schema/facts.ts'
import type { Resource } from '../../src/schema/resource.ts'
import { collectionOf, sampleOf } from '../../test/etcd/kinds.ts'

const SHARED = join(packageRoot(), '../shared')
const NAMESPACE = 'differential'
/** Part of the names: objects of an earlier run may still be on their way out. */
const RUN = `r${Date.now().toString(36)}`

interface Scenario {
  readonly steps: readonly { readonly do?: string; readonly body?: Json }[]
}

export const hasShared = (): boolean => existsSync(join(SHARED, 'upstream/roundtrip'))

/** Where the objects of a kind are created. */
export const collection = (resource: Resource): string => collectionOf(resource, NAMESPACE)

/** Objects of a kind that upstream takes, without namespaces; none where nothing is known of the kind. */
export function basesOf(resource: Resource, signingRequest: string): JsonObject[] {
  const sample = sampleOf(resource, { name: RUN, address: '10.96.200.1', signingRequest })
  const bases = sample ? [sample] : []
  for (const body of scenarioBodies().get(collectionOf(resource, '${NS}')) ?? []) bases.push(body)
  return bases.map((base) => ({ apiVersion: apiVersionOf(resource), kind: resource.kind, ...base }))
}

let bodies: Map<string, JsonObject[]> | undefined

/** What the scenarios create, by path. */
function scenarioBodies(): Map<string, JsonObject[]> {
  if (bodies) return bodies
  bodies = new Map()
  const folder = join(SHARED, 'oracle/scenarios')
  for (const file of readdirSync(folder)) {
    if (!/^(defaults|validation-kinds|subresources)/.test(file)) continue
    const { scenarios } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as { scenarios: Scenario[] }
    for (const { steps } of scenarios) for (const step of steps) keep(step.do ?? '', step.body)
  }
  return bodies
}

function keep(request: string, body: Json | undefined): void {
  const [verb = '', path = ''] = request.split(' ')
  if (verb !== 'POST' || typeof body !== 'object' || body === null || Array.isArray(body)) return
  const text = JSON.stringify(body).replaceAll('${NS}', NAMESPACE).replaceAll('${ID}', RUN)
  const list = bodies?.get(path) ?? []
  if (!list.some((other) => JSON.stringify(other) === text)) list.push(JSON.parse(text) as JsonObject)
  bodies?.set(path, list)
}

/** The fully populated object of a kind; undefined where there is none. */
export function fullOf(resource: Resource): JsonObject | undefined {
  const file = `${resource.group || 'core'}.${resource.version}.${resource.kind}.json`
  const path = join(SHARED, 'upstream/roundtrip', file)
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as JsonObject) : undefined
}
