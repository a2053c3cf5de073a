// Rich objects of every built-in kind, the same at both servers: a valid object to which every field of the fully
// populated one is added that kube-apiserver takes, and a status that it takes as well. Used by kubectl.ts.
import type { JsonObject } from '../../src/machinery/json.ts'
import type { Resource } from '../../src/schema/resource.ts'
import { certificateRequest } from '../../test/kinds/signing.ts'
import { mapOf } from './answers.ts'
import { basesOf, collection, fullOf } from './bases.ts'
import { additions } from './mutations.ts'
import type { Servers } from './servers.ts'

/** Fields that would keep an object from being deleted again, or from being seen. */
const LEFT_OUT = /finalizers|ownerReferences|deletion|generateName|schedulingGates/
/** So often all fields are tried: one may bring in others. */
const ROUNDS = 2

export interface Made {
  readonly resource: Resource
  readonly name: string
}

/** The object with all that upstream takes of the full one. */
async function enriched(servers: Servers, resource: Resource, base: JsonObject): Promise<JsonObject> {
  const full = fullOf(resource)
  let object = base
  for (let round = 0; full && round < ROUNDS; round++) {
    const added = [...additions(object, full)].map(({ label }) => label)
    for (const label of added) {
      const next = [...additions(object, full)].find((one) => one.label === label)
      if (!next || LEFT_OUT.test(label) || label.startsWith('add status')) continue
      const { theirs } = await servers.send('POST', `${collection(resource)}?dryRun=All`, next.object)
      if (theirs.status === 201) object = next.object
    }
  }
  return object
}

/** Says of a status what upstream takes of the full one. */
async function withStatus(servers: Servers, resource: Resource, path: string): Promise<void> {
  const status = mapOf(fullOf(resource)?.['status'])
  if (!resource.subresources.some(({ name }) => name === 'status')) return
  for (const field of Object.keys(status)) {
    const body = { status: { [field]: status[field] ?? null } }
    await servers.send('PATCH', `${path}/status`, body)
  }
}

/** Creates one rich object of each sort of a kind at both; those that both have. */
export async function makeObjects(servers: Servers, resource: Resource, bases: number): Promise<Made[]> {
  const made: Made[] = []
  for (const base of basesOf(resource, certificateRequest()).slice(0, bases)) {
    const object = await enriched(servers, resource, base)
    const { theirs, ours } = await servers.send('POST', collection(resource), object)
    const name = mapOf(mapOf(theirs.body)['metadata'])['name']
    if (theirs.status !== 201 || ours.status !== 201 || typeof name !== 'string') continue
    await withStatus(servers, resource, `${collection(resource)}/${name}`)
    made.push({ resource, name })
  }
  return made
}
