// Patches, decoding and field ownership against what a kube-apiserver 1.36.3 answered: the recorded scenarios are
// walked without a server, each answer made from the object before it.
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parseGroupVersion } from '../src/machinery/gvk.ts'
import { isObject, type Json, type JsonObject } from '../src/machinery/json.ts'
import type { KubeObject } from '../src/machinery/object.ts'
import { StatusError } from '../src/machinery/status.ts'
import { defaultsFor } from '../src/registry/defaults.ts'
import { decoderFor, DecodeError, normalise } from '../src/schema/decode.ts'
import { applyJsonPatch, readJsonPatch } from '../src/schema/patch/jsonpatch.ts'
import { managerFromUserAgent, trackUpdate } from '../src/schema/ownership/managedfields.ts'
import { trackScale } from '../src/schema/ownership/managedfields-scale.ts'
import { mergePatch } from '../src/schema/patch/mergepatch.ts'
import { strategicMergePatch } from '../src/schema/patch/strategicmerge.ts'
import type { StructType } from '../src/schema/type.ts'
import { typeForKind } from '../src/schema/types.ts'

const ORACLE = new URL('../../shared/oracle/', import.meta.url)

interface Step {
  do?: string
  type?: string
  body?: Json
  pick?: string[]
  headers?: Record<string, string>
}
interface Answer {
  status: number
  body: JsonObject
  warning?: string
}

const read = <T>(path: string): T => JSON.parse(readFileSync(new URL(path, ORACLE), 'utf8')) as T

/** The value at a dotted path. */
const at = (object: Json | undefined, path: string): Json | undefined =>
  path.split('.').reduce<Json | undefined>((value, key) => (isObject(value) ? value[key] : undefined), object)

/** The recordings have placeholders where values are not stable. */
function withPlaceholders(value: Json | undefined): Json | undefined {
  if (typeof value === 'string') return value.replaceAll('${ID}', '<id>').replaceAll('${NS}', '<ns>')
  if (Array.isArray(value)) return value.map((item) => withPlaceholders(item) as Json)
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, withPlaceholders(v)]))
}

const SET_BY_SERVER = {
  namespace: '<ns>',
  uid: '<uid1>',
  resourceVersion: '${RV}',
  creationTimestamp: '2026-01-01T00:00:00Z',
}

/** Which second each write fell in decides the order of managedFields. */
function byName(value: Json): Json {
  if (!Array.isArray(value) || !isObject(value[0]) || value[0].fieldsType === undefined) return value
  const nameOf = (entry: Json): string =>
    ['operation', 'manager', 'subresource'].map((k) => at(entry, k)).join()
  return value.slice().sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
}

class Walk {
  #current: KubeObject | undefined
  #type: StructType | undefined

  step(step: Step, answer: Answer): void {
    const [verb, url = ''] = (step.do ?? '').split(' ')
    if (verb === 'POST') return this.#create(step)
    if (!this.#current || answer.status === 404) return
    if (verb === 'GET') return this.#compare(step, answer)
    if (verb !== 'PATCH' || typeof step.body === 'string' || url.includes('dryRun')) return
    const subresource = /\/(status|scale)(\?|$)/.exec(url)?.[1] ?? ''
    if (subresource === 'scale') this.#scale(step, answer)
    else this.#patch(step, answer, subresource)
  }

  #scale(step: Step, answer: Answer): void {
    const replicas = at(step.body, 'spec.replicas')
    if (answer.status !== 200 || replicas === undefined) return
    const current = this.#current as KubeObject
    const spec = current.spec as JsonObject
    const managedFields = trackScale({
      entries: current.metadata.managedFields,
      apiVersion: String(current.apiVersion),
      replicasPath: 'spec.replicas',
      changed: spec.replicas !== replicas,
      manager: 'oracle',
    })
    const metadata = { ...current.metadata, managedFields: managedFields ?? [] }
    this.#current = { ...current, spec: { ...spec, replicas }, metadata }
  }

  #create(step: Step): void {
    const body = withPlaceholders(step.body) as JsonObject
    const gv = parseGroupVersion(String(body.apiVersion))
    this.#type = gv && typeForKind({ ...gv, kind: String(body.kind) })
    if (!this.#type) return
    const next = this.#decode(body)
    next.metadata = { ...next.metadata, ...SET_BY_SERVER }
    this.#current = this.#tracked(next, 'oracle', '')
  }

  #decode(value: Json): KubeObject {
    const type = this.#type as StructType
    const { object } = decoderFor(type)(value)
    const gv = parseGroupVersion(String(object.apiVersion))
    if (gv) defaultsFor({ ...gv, kind: String(object.kind) })?.(object)
    return normalise(object, type)
  }

  #tracked(next: KubeObject, manager: string, subresource: string): KubeObject {
    const type = this.#type as StructType
    const apiVersion = String(next.apiVersion)
    const now = new Date('2026-01-01T00:00:00Z')
    const resetFields = subresource === '' ? ['status'] : ['spec', 'metadata.labels']
    const old = this.#current
    const managedFields = trackUpdate({ type, old, next, manager, apiVersion, subresource, now, resetFields })
    const { managedFields: _sent, ...metadata } = next.metadata
    return { ...next, metadata: managedFields ? { ...metadata, managedFields } : metadata }
  }

  #patch(step: Step, answer: Answer, subresource: string): void {
    let next: KubeObject
    try {
      next = this.#decode(this.#apply(step))
    } catch (error) {
      const { code, message } = answer.body
      if (error instanceof StatusError) {
        expect({ code: error.code, message: error.message }).toEqual({ code, message })
      } else {
        expect(error).toBeInstanceOf(DecodeError)
        expect(code).toBe(422)
        expect(message).toContain((error as Error).message)
      }
      return
    }
    // What was refused for other reasons (validation, names) did not change the object.
    if (answer.status !== 200) return
    const agent = step.headers?.['user-agent'] ?? 'oracle/v1'
    const manager =
      new URLSearchParams(step.do?.split('?')[1]).get('fieldManager') ?? managerFromUserAgent(agent)
    const tracked = this.#tracked(next, manager, subresource)
    this.#current = subresource === 'status' ? this.#withStatusOf(tracked) : tracked
    this.#compare(step, answer)
  }

  /** What the strategy of a status subresource lets through. */
  #withStatusOf(next: KubeObject): KubeObject {
    const { spec, metadata } = this.#current as KubeObject
    return { ...next, spec: spec as Json, metadata: { ...next.metadata, labels: metadata.labels ?? {} } }
  }

  #apply(step: Step): Json {
    const current = this.#current as KubeObject
    const body = withPlaceholders(step.body) as Json
    if (step.type === 'application/json-patch+json') return applyJsonPatch(current, readJsonPatch(body))
    if (step.type === 'application/merge-patch+json') return mergePatch(current, body)
    return strategicMergePatch(current, body as JsonObject, this.#type as StructType)
  }

  #compare(step: Step, answer: Answer): void {
    for (const path of step.pick ?? ['data', 'spec', 'metadata.labels', 'metadata.managedFields']) {
      if (path === 'metadata.generation') continue
      const found = at(this.#current, path)
      const recorded = path in answer.body ? answer.body[path] : at(answer.body, path)
      const timeless = JSON.parse(JSON.stringify(found ?? null).replace(/"2026-[^"]*Z"/g, '"<time>"')) as Json
      expect(byName(timeless), `${JSON.stringify(step.body)} at ${path}`).toEqual(byName(recorded ?? null))
    }
  }
}

describe.skipIf(!existsSync(ORACLE))('recorded patches (skipped where ../shared is absent)', () => {
  if (existsSync(ORACLE)) {
    const { scenarios } = read<{ scenarios: { name: string; steps: Step[] }[] }>('scenarios/patch.json')
    const recorded = read<Record<string, Answer[]>>('recorded/patch.json')
    for (const { name, steps } of scenarios) {
      it(name, () => {
        const walk = new Walk()
        steps.forEach((step, i) => walk.step(step, recorded[name]?.[i] as Answer))
      })
    }
  }
})
