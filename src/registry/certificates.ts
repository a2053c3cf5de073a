// Certificate signing requests: they carry who asked, and conditions that only approvers and signers may add to.
// Rows of strategies.ts. Follows pkg/registry/certificates.
import type { JsonObject } from '../machinery/json.ts'
import type { KubeObject } from '../machinery/object.ts'
import { timeText } from './generic.ts'
import { childOf, objectAt, objectsAt, present } from './reading.ts'
import { held, STATUS_ONLY } from './rows.ts'
import type { Strategy, WriteContext } from './strategy.ts'
import { validateRequest, validateRequestUpdate } from './validation/certificates.ts'

const conditionsOf = (object: KubeObject): readonly JsonObject[] =>
  objectsAt(objectAt(object['status'])['conditions'])

/** The requestor is who sent the request, whatever the object says. */
function recordRequestor(request: KubeObject, context: WriteContext): void {
  const spec = childOf(request, 'spec')
  const { name, uid, groups, extra } = context.user
  for (const key of ['username', 'uid', 'groups', 'extra']) delete spec[key]
  if (name) spec['username'] = name
  if (uid) spec['uid'] = uid
  if (groups.length) spec['groups'] = [...groups]
  if (extra && Object.keys(extra).length) {
    spec['extra'] = Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, [...values]]))
  }
}

/** Conditions without times get them: now, or for one that stood there already the old transition. */
function stampConditions(request: KubeObject, old: KubeObject, now: string): void {
  for (const condition of conditionsOf(request)) {
    if (!present(condition['lastUpdateTime'])) condition['lastUpdateTime'] = now
    if (present(condition['lastTransitionTime'])) continue
    const before = conditionsOf(old).find(
      (other) =>
        other['type'] === condition['type'] &&
        other['status'] === condition['status'] &&
        present(other['lastTransitionTime']),
    )
    condition['lastTransitionTime'] = before?.['lastTransitionTime'] ?? now
  }
}

/** A status write cannot touch approvals and denials: as many as there were, they stay as they were. */
function keepDecisions(request: KubeObject, old: KubeObject, type: string): void {
  const status = childOf(request, 'status')
  const conditions = [...conditionsOf(request)]
  const places = conditions.flatMap((condition, i) => (condition['type'] === type ? [i] : []))
  const stored = conditionsOf(old).filter((condition) => condition['type'] === type)
  if (!places.length || places.length !== stored.length) return
  places.forEach((place, i) => (conditions[place] = stored[i] as JsonObject))
  status['conditions'] = conditions
}

const certificatesigningrequests: Strategy = {
  validateName: () => [],
  ...held(validateRequest, validateRequestUpdate),
  resetFields: { '': ['spec', 'status'], status: ['spec'], approval: ['spec', 'status.certificate'] },
  metadataOnUpdate: ['create', 'changes', 'update'],
  initialStatus: () => ({}),
  prepareForCreate: recordRequestor,
  prepareForUpdate(request, old, context) {
    if (context.subresource === 'status') {
      keepDecisions(request, old, 'Approved')
      keepDecisions(request, old, 'Denied')
    }
    if (context.subresource !== '') stampConditions(request, old, timeText(context.now))
  },
}

export const certificates: Readonly<Record<string, Strategy>> = {
  'certificatesigningrequests.certificates.k8s.io': certificatesigningrequests,
  'clustertrustbundles.certificates.k8s.io': {
    allowUnconditionalUpdate: false,
    metadataOnUpdate: ['create', 'update'],
  },
  'podcertificaterequests.certificates.k8s.io': {
    allowUnconditionalUpdate: false,
    resetFields: STATUS_ONLY,
    initialStatus: () => ({}),
  },
}
