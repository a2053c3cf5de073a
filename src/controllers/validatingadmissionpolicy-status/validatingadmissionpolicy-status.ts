// Policies are told in their status what type checking has to say of their expressions.
// Follows k8s.io/kubernetes/pkg/controller/validatingadmissionpolicystatus.
import { isNotFound } from '../../client/api.ts'
import { type Controller, type ControllerContext, queueOf, work } from '../../client/controller.ts'
import { discover, kindKey } from '../../client/discovery.ts'
import type { ValidatingAdmissionPolicy } from '../../client/kinds/admissionregistration.v1.gen.ts'
import { VALIDATING_ADMISSION_POLICIES } from '../../client/resources.ts'
import type { JsonObject } from '../../machinery/json.ts'

const NAME = 'validatingadmissionpolicy-status-controller'
/** Upstream's queue and field manager. */
const MANAGER = 'validatingadmissionpolicy-status'

/** `workers`: policies at a time. */
export function policyStatusController(context: ControllerContext, workers: number): Controller {
  const { api, informers, log } = context
  const queue = queueOf(context, MANAGER)
  const policies = informers.of(VALIDATING_ADMISSION_POLICIES)
  const see = ({ metadata }: ValidatingAdmissionPolicy): void => queue.add(metadata.name ?? '')
  policies.handle({ added: see, updated: see })
  const reconcile = async (name: string): Promise<void> => {
    const policy = policies.reader.get(name)
    const { generation = 0 } = policy?.metadata ?? {}
    if (!policy || generation <= (policy.status?.observedGeneration ?? 0)) return
    const expressionWarnings = await warningsOf(context, policy)
    const typeChecking = expressionWarnings.length > 0 ? { expressionWarnings } : {}
    const body = {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name },
      status: { observedGeneration: generation, typeChecking },
    }
    const place = { name, subresource: 'status' }
    const apply = { type: 'apply', fieldManager: MANAGER, force: true } as const
    await api.patch(VALIDATING_ADMISSION_POLICIES, place, body as unknown as JsonObject, apply)
  }
  return { name: NAME, run: (signal) => work({ name: NAME, queue, workers, reconcile, log }, signal) }
}

async function warningsOf({ api }: ControllerContext, policy: ValidatingAdmissionPolicy) {
  // What CEL is made of is not small, and most clusters have no policy.
  const { resourcesToCheck, expressionWarnings } = await import('./typecheck.ts')
  const { typeOfKind } = await import('./schematypes.ts')
  const { kinds } = await discover(api)
  const documents = new Map<string, Promise<JsonObject | undefined>>()
  const typeOf = async (group: string, version: string, kind: string) => {
    const path = group === '' ? `api/${version}` : `apis/${group}/${version}`
    const document = documents.get(path) ?? documentAt(api, path)
    documents.set(path, document)
    return typeOfKind((await document) ?? {}, { group, version, kind })
  }
  const typed = []
  for (const { group, version, resource } of resourcesToCheck(policy)) {
    const served = [...kinds.values()].find(
      (one) => one.group === group && one.version === version && one.resource === resource,
    )
    const type = served && (await typeOf(group, version, served.kind))
    if (served && type) typed.push({ group, version, kind: served.kind, type })
  }
  typed.sort((a, b) => compareKinds(a, b))
  const { paramKind } = policy.spec ?? {}
  const params = kinds.get(kindKey(paramKind?.apiVersion ?? '', paramKind?.kind ?? ''))
  const paramType = params && (await typeOf(params.group, params.version, params.kind))
  return expressionWarnings(policy, typed, paramType)
}

interface Named {
  readonly group: string
  readonly version: string
  readonly kind: string
}
const compareKinds = (a: Named, b: Named): number => (keyOf(a) < keyOf(b) ? -1 : 1)
const keyOf = ({ group, version, kind }: Named): string => [group, version, kind].join('\0')

/** undefined where the server has none. */
async function documentAt(api: ControllerContext['api'], path: string): Promise<JsonObject | undefined> {
  try {
    return await api.raw(`/openapi/v3/${path}`, 'application/json')
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}
