// Pods and claims on their way through decoding, defaults and admission, beside what kube-apiserver 1.36.3 answered
// (recordings in ../shared, where they are). No server and no store: what a scenario created before is in a lister.
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { AdmissionChain } from '../src/admission/chain.ts'
import { attributesOf, FakeLister } from '../src/admission/fixture.ts'
import { admissionPlugins } from '../src/admission/plugins.ts'
import { isObject, type Json, type JsonObject } from '../src/machinery/json.ts'
import { StatusError } from '../src/machinery/status.ts'
import { defaultsFor } from '../src/registry/defaults.ts'
import { decoderFor, normalise } from '../src/schema/decode.ts'
import { findResource } from '../src/schema/resources.ts'
import { typeForKind } from '../src/schema/types.ts'

const ORACLE = '../shared/oracle'
const PRESENT = existsSync(`${ORACLE}/recorded`)

/** Files, and of each the scenarios that need no plugin but those that are here; undefined: all. */
const FILES: Readonly<Record<string, readonly string[] | undefined>> = {
  'admission.json': ['limit range defaults', 'limit range limits', 'what admission adds to a pod'],
  'defaults-other.json': ['runtime class and pods', 'priority classes and pods'],
  'defaults-pods.json': undefined,
}

const PATH =
  /^POST \/(?:api|apis\/(?<group>[^/]+))\/(?<version>[^/]+)\/(?:namespaces\/\$\{NS\}\/)?(?<name>[^/?]+)$/

interface Step {
  readonly do?: string
  readonly body?: Json
  readonly pick?: readonly string[]
}
interface Answer {
  readonly status: number
  readonly body: JsonObject
}
interface Scenario {
  readonly name: string
  readonly steps: readonly Step[]
  readonly answers: readonly Answer[]
}

function scenarios(): Scenario[] {
  const read = (path: string): unknown => JSON.parse(readFileSync(`${ORACLE}/${path}`, 'utf8'))
  return Object.entries(FILES).flatMap(([file, names]) => {
    const { scenarios: all } = read(`scenarios/${file}`) as { scenarios: { name: string; steps: Step[] }[] }
    const answers = read(`recorded/${file}`) as Record<string, Answer[]>
    return all
      .filter(({ name }) => names?.includes(name) ?? true)
      .map(({ name, steps }) => ({ name, steps, answers: answers[name] ?? [] }))
  })
}

function newLister(): FakeLister {
  const lister = new FakeLister()
  lister.put('namespaces', { metadata: { name: 'ns' }, status: { phase: 'Active' } })
  lister.put('serviceaccounts', { metadata: { name: 'default', namespace: 'ns' } })
  for (const [name, value] of [
    ['system-cluster-critical', 2_000_000_000],
    ['system-node-critical', 2_000_001_000],
  ] as const) {
    lister.put('priorityclasses', { metadata: { name }, value, preemptionPolicy: 'PreemptLowerPriority' })
  }
  return lister
}

const authorizer = { authorize: () => ({ decision: 'allow', reason: '' }) as const }

/** What becomes of one create: the object that would be stored, or the refusal. */
async function create(
  step: Step,
  lister: FakeLister,
  chain: AdmissionChain,
): Promise<JsonObject | StatusError> {
  const { group = '', version = '', name = '' } = PATH.exec(step.do ?? '')?.groups ?? {}
  const resource = findResource(group, version, name)
  const type = resource && typeForKind(resource)
  if (!resource || !type) throw new Error(`no resource for ${step.do ?? ''}`)
  const body = JSON.parse(
    JSON.stringify(step.body).replaceAll('${ID}', '<id>').replaceAll('${NS}', 'ns'),
  ) as Json
  const { object } = decoderFor(type)(body)
  defaultsFor(resource)?.(object)
  const attributes = { ...attributesOf({ object }), resource, namespace: resource.namespaced ? 'ns' : '' }
  try {
    await chain.admit(attributes)
    await chain.validate(attributes)
  } catch (error) {
    if (error instanceof StatusError) return error
    throw error
  }
  const stored = normalise(attributes.object ?? object, type)
  const metadata = resource.namespaced ? { ...stored.metadata, namespace: 'ns' } : stored.metadata
  lister.put(name, { ...stored, metadata })
  return stored
}

/** As the recordings show generated names; what a feature gate drops later is dropped. */
function shown(value: Json | undefined): Json | undefined {
  const text = JSON.stringify(value)
    ?.replace(/kube-api-access-[a-z0-9]{5}/g, 'kube-api-access-<random>')
    .replace(/\{"clusterTrustBundle":\{[^}]*\}\}/g, '{}')
  return text === undefined ? undefined : (JSON.parse(text) as Json)
}

function at(value: JsonObject, path: string): Json | undefined {
  let now: Json | undefined = value
  for (const key of path.split('.')) {
    now = typeof now === 'object' && now !== null ? (now as JsonObject)[key] : undefined
  }
  return now
}

/** The parts of the answer that are decided before the registry's own rules. */
function expectedParts({ body }: Answer, step: Step): [path: string, value: Json | undefined][] {
  if (!step.pick) return [['spec', body.spec]]
  return Object.entries(body).filter(([path]) => path.startsWith('spec') || path === 'metadata.annotations')
}

/** A spread constraint's keys become expressions in the pod's strategy. */
function withoutSpread(value: Json | undefined): Json | undefined {
  if (!isObject(value) || !Array.isArray(value.topologySpreadConstraints)) return value
  const constraints = value.topologySpreadConstraints.map((constraint) => {
    const { labelSelector: _, ...rest } = constraint as JsonObject
    return rest
  })
  return { ...value, topologySpreadConstraints: constraints }
}

describe.skipIf(!PRESENT)('admission beside the recordings (needs ../shared)', () => {
  const all = PRESENT ? scenarios() : []

  it.each(all.map((scenario) => [scenario.name, scenario] as const))('%s', async (_, { steps, answers }) => {
    const lister = newLister()
    const chain = new AdmissionChain(
      await admissionPlugins(
        {},
        {
          authorizer,
          writeQuotaStatus: (quota) => Promise.resolve(quota),
          createNamespace: (name) => Promise.resolve(name),
          webhookOf: () => Promise.reject(new Error('there is none')),
        },
      ),
      lister,
    )
    for (const [index, step] of steps.entries()) {
      const answer = answers[index]
      if (!answer || !PATH.test(step.do ?? '') || !isObject(step.body)) continue
      if (answer.status !== 201 && answer.status !== 403) continue
      const outcome = await create(step, lister, chain)
      if (answer.status === 403) {
        expect(outcome).toBeInstanceOf(StatusError)
        expect((outcome as StatusError).message).toBe(String(answer.body.message).replaceAll('<ns>', 'ns'))
        continue
      }
      if (outcome instanceof StatusError) throw outcome
      if (outcome.kind !== 'Pod') continue
      for (const [path, value] of expectedParts(answer, step)) {
        expect(withoutSpread(shown(at(outcome, path)))).toEqual(withoutSpread(shown(value)))
      }
    }
  })
})
