// Who owns which field of a new object, against what a kube-apiserver 1.36.3 answered in all recorded scenarios.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parseGroupVersion } from '../src/machinery/gvk.ts'
import type { JsonObject } from '../src/machinery/json.ts'
import type { KubeObject } from '../src/machinery/object.ts'
import { defaultsFor } from '../src/registry/defaults.ts'
import { decoderFor, normalise } from '../src/schema/decode.ts'
import { trackUpdate } from '../src/schema/ownership/managedfields.ts'
import { typeForKind } from '../src/schema/types.ts'

const ORACLE = new URL('../../shared/oracle/', import.meta.url)

interface Step {
  do?: string
  body?: JsonObject | string
}
interface Answer {
  status: number
  body: KubeObject
}

const read = <T>(path: string): T => JSON.parse(readFileSync(new URL(path, ORACLE), 'utf8')) as T

/** What the recordings do not show as it was sent: addresses and captured ids. */
const unstable = (text: string): string =>
  text.replace(/\b10\.\d+\.\d+\.\d+\b/g, '<clusterip>').replace(/\$\{\w+\}|<uid\d+>/g, '<uid>')

/** What writes to the object itself never change; all kinds with a status but the few without a reset have it. */
function resetFieldsOf(kind: string): string[] {
  if (kind === 'CertificateSigningRequest') return ['spec', 'status']
  return ['Event', 'Lease', 'ConfigMap', 'Secret'].includes(kind) ? [] : ['status']
}

function ownedOf(step: Step, answer: Answer): string | undefined {
  const { kind = '', apiVersion = '' } = answer.body
  const gv = parseGroupVersion(apiVersion)
  const type = gv && typeForKind({ ...gv, kind })
  if (!gv || !type) return undefined
  const { object } = decoderFor(type)(step.body as JsonObject)
  defaultsFor({ ...gv, kind })?.(object)
  const next = normalise(object, type)
  // A conversion adds this on the way to the store.
  if (kind === 'DaemonSet') {
    next.metadata.annotations = {
      ...next.metadata.annotations,
      'deprecated.daemonset.template.generation': '0',
    }
  }
  const resetFields = resetFieldsOf(kind)
  const entries = trackUpdate({
    type,
    next,
    manager: 'm',
    apiVersion,
    subresource: '',
    now: new Date(),
    resetFields,
  })
  return unstable(JSON.stringify(entries?.[0]?.fieldsV1))
}

/** Creates whose answer has exactly one owner, who sent no owners along. */
function isPlainCreate(step: Step, answer: Answer | undefined): answer is Answer {
  if (!step.do?.startsWith('POST') || typeof step.body !== 'object' || answer?.status !== 201) return false
  const sent = step.body.metadata as JsonObject | undefined
  return answer.body?.metadata?.managedFields?.length === 1 && sent?.managedFields === undefined
}

describe.skipIf(!existsSync(ORACLE))('owners of new objects (skipped where ../shared is absent)', () => {
  const files = existsSync(ORACLE) ? readdirSync(new URL('scenarios', ORACLE)) : []
  it.each(files)('%s', (file) => {
    const { scenarios } = read<{ scenarios: { name: string; steps: Step[] }[] }>(`scenarios/${file}`)
    const recorded = read<Record<string, Answer[]>>(`recorded/${file}`)
    for (const { name, steps } of scenarios) {
      steps.forEach((step, i) => {
        const answer = recorded[name]?.[i]
        if (!isPlainCreate(step, answer)) return
        const owned = ownedOf(step, answer)
        if (owned === undefined) return
        const fields = answer.body.metadata.managedFields?.[0]?.fieldsV1 as JsonObject
        expect(JSON.parse(owned), `${name}, step ${i}`).toEqual(JSON.parse(unstable(JSON.stringify(fields))))
      })
    }
  })
})
