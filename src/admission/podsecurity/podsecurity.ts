// PodSecurity: pods keep to the level that their namespace's labels ask for; what makes pods is warned of.
// Follows k8s.io/pod-security-admission/admission and plugin/pkg/admission/security/podsecurity.
import type { GroupResource } from '../../machinery/gvk.ts'
import { isObject, type Json } from '../../machinery/json.ts'
import type { Lister } from '../../machinery/lister.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { aggregate } from '../../machinery/aggregate.ts'
import { forbidden, internalError, invalid } from '../../machinery/status.ts'
import type { AdmissionAttributes, AdmissionPlugin, AdmissionTarget } from '../plugin.ts'
import { PODS } from '../shapes.ts'
import type { CheckedContainer, CheckedPod, CheckedSpec, Finding } from './pod.ts'
import * as policies from './policy.ts'

const NAMESPACES: GroupResource = { group: '', resource: 'namespaces' }
/** Where the pods' template stands in what makes pods. */
const TEMPLATES: Readonly<Record<string, readonly string[]>> = {
  'replicationcontrollers.': ['spec', 'template'],
  'podtemplates.': ['template'],
  'replicasets.apps': ['spec', 'template'],
  'deployments.apps': ['spec', 'template'],
  'statefulsets.apps': ['spec', 'template'],
  'daemonsets.apps': ['spec', 'template'],
  'jobs.batch': ['spec', 'template'],
  'cronjobs.batch': ['spec', 'jobTemplate', 'spec', 'template'],
}
/** Subresources of pods that do not change what runs. */
const HARMLESS: ReadonlySet<string> = new Set([
  'exec',
  'attach',
  'binding',
  'eviction',
  'log',
  'portforward',
  'proxy',
  'status',
])

export interface Exemptions {
  readonly usernames: ReadonlySet<string>
  readonly namespaces: ReadonlySet<string>
  readonly runtimeClasses: ReadonlySet<string>
}

export interface PodSecuritySettings {
  /** Of namespaces whose labels say nothing. */
  readonly defaults: policies.Policy
  readonly exemptions: Exemptions
}

const NOBODY = new Set<string>()
const UNCONFIGURED: PodSecuritySettings = {
  defaults: policies.PRIVILEGED_POLICY,
  exemptions: { usernames: NOBODY, namespaces: NOBODY, runtimeClasses: NOBODY },
}

const keyOf = ({ resource }: AdmissionTarget): string => `${resource.name}.${resource.group}`

export class PodSecurity implements AdmissionPlugin {
  readonly name = 'PodSecurity'
  readonly reads = [NAMESPACES]
  readonly #defaults: policies.Policy
  readonly #exempt: Exemptions

  constructor({ defaults, exemptions } = UNCONFIGURED) {
    this.#defaults = defaults
    this.#exempt = exemptions
  }

  handles(target: AdmissionTarget): boolean {
    if (target.operation !== 'CREATE' && target.operation !== 'UPDATE') return false
    const key = keyOf(target)
    if (key === 'pods.') return !HARMLESS.has(target.subresource)
    return target.subresource === '' && (key === 'namespaces.' || Object.hasOwn(TEMPLATES, key))
  }

  validate(attributes: AdmissionAttributes, lister: Lister): void | Promise<void> {
    if (attributes.resource.name === 'namespaces') return this.#namespace(attributes, lister)
    if (this.#isExempt(attributes)) return
    const isPod = attributes.resource.name === 'pods'
    const namespace = lister.get(NAMESPACES, '', attributes.namespace)
    if (!namespace) {
      const why = `failed to lookup namespace ${JSON.stringify(attributes.namespace)}`
      if (isPod) throw internalError(why)
      return annotate(attributes, 'error', `${why}: ${missing(attributes.namespace)}`)
    }
    const evaluated = this.#policyOf(namespace)
    const { policy, faults } = evaluated
    if (isPod && faults.length === 0 && policies.isFullyPrivileged(policy)) {
      return annotate(attributes, 'enforce-policy', 'privileged:latest')
    }
    if (!isPod && faults.length === 0 && isSilent(policy)) return
    const pod = isPod ? checked(attributes.object) : checked(templateOf(attributes))
    if (!pod || (isPod && attributes.old && !isSignificant(pod.spec, checked(attributes.old)?.spec))) return
    return this.#evaluate(attributes, pod, evaluated)
  }

  #policyOf({ metadata }: KubeObject): policies.Evaluated {
    return policies.policyOf(metadata.labels ?? {}, this.#defaults)
  }

  #isExempt(attributes: AdmissionAttributes): boolean {
    const { namespaces, usernames } = this.#exempt
    const by = namespaces.has(attributes.namespace)
      ? 'namespace'
      : usernames.has(attributes.user.name)
        ? 'user'
        : undefined
    if (by) annotate(attributes, 'exempt', by)
    return by !== undefined
  }

  /** The checks are loaded when the first namespace asks for them. */
  async #evaluate(
    attributes: AdmissionAttributes,
    pod: CheckedPod,
    { policy, faults }: policies.Evaluated,
  ): Promise<void> {
    const { details, findingsOf } = await import('./checks.ts')
    if (this.#exempt.runtimeClasses.has(pod.spec.runtimeClassName ?? '')) {
      return annotate(attributes, 'exempt', 'runtimeClass')
    }
    if (faults.length > 0) {
      const said = aggregate(faults.map(({ field, message }) => `${field}: ${message}`))
      annotate(attributes, 'error', `Failed to parse policy: ${said}`)
    }
    const isPod = attributes.resource.name === 'pods'
    const enforced = isPod ? findingsOf(pod, policy.enforce) : []
    if (isPod) annotate(attributes, 'enforce-policy', policies.shown(policy.enforce))
    const would = (asked: policies.LevelVersion, findings: readonly Finding[]): string =>
      `would violate PodSecurity "${policies.shown(asked)}": ${details(findings)}`
    const audited = findingsOf(pod, policy.audit)
    if (audited.length > 0) annotate(attributes, 'audit-violations', would(policy.audit, audited))
    if (enforced.length > 0) {
      const why = `violates PodSecurity "${policies.shown(policy.enforce)}": ${details(enforced)}`
      const { resource, name, object } = attributes
      const what = { group: resource.group, resource: resource.name }
      throw forbidden(what, name || (object?.metadata.name ?? ''), why)
    }
    const warned = findingsOf(pod, policy.warn)
    if (warned.length > 0) attributes.warn(would(policy.warn, warned))
  }

  async #namespace(attributes: AdmissionAttributes, lister: Lister): Promise<void> {
    const object = attributes.object as KubeObject
    const name = object.metadata.name ?? ''
    const { policy, faults } = this.#policyOf(object)
    const before = attributes.old && this.#policyOf(attributes.old)
    if (faults.length > 0 && JSON.stringify(faults) !== JSON.stringify(before?.faults)) {
      throw invalid({ group: '', kind: 'Namespace' }, name, [...faults])
    }
    if (before && !asksMore(policy.enforce, before.policy.enforce)) return
    if (this.#exempt.namespaces.has(name)) return this.#warnOfExempt(attributes, name, policy)
    if (!before) return
    const { existingPodsWarnings } = await import('./existing.ts')
    await lister.ready(PODS)
    const pods = lister.list(PODS, name).filter((pod) => !this.#exempt.runtimeClasses.has(classOf(pod)))
    for (const warning of existingPodsWarnings(name, pods, policy.enforce)) attributes.warn(warning)
  }

  #warnOfExempt({ object, warn }: AdmissionAttributes, name: string, policy: policies.Policy): void {
    if (policies.isFullyPrivileged(policy) || policies.isEquivalent(policy, this.#defaults)) return
    const labels = object?.metadata.labels ?? {}
    const said = policies.MODES.filter((mode) => {
      const isSaid = [mode, `${mode}-version`].some((key) => labels[policies.PREFIX + key] !== undefined)
      return isSaid && policy[mode].level !== 'privileged'
    })
    const list = said.map((mode) => `${mode}=${policies.shown(policy[mode])}`).join(', ')
    warn(`namespace "${name}" is exempt from Pod Security, and the policy (${list}) will be ignored`)
  }
}

/** Nobody hears of what makes pods. */
const isSilent = ({ warn, audit }: policies.Policy): boolean =>
  warn.level === 'privileged' && audit.level === 'privileged'

const annotate = ({ annotate: tell }: AdmissionAttributes, key: string, value: string): void =>
  tell?.(policies.PREFIX + key, value)

const missing = (namespace: string): string => `namespaces "${namespace}" not found`

/** Whether pods that ran under the old level could break the new one. */
function asksMore(now: policies.LevelVersion, before: policies.LevelVersion): boolean {
  if (policies.isSame(now, before) || now.level === 'privileged') return false
  return now.minor !== before.minor || policies.compareLevels(now.level, before.level) > 0
}

function classOf({ spec }: KubeObject): string {
  const name = isObject(spec) ? spec['runtimeClassName'] : undefined
  return typeof name === 'string' ? name : ''
}

function templateOf(attributes: AdmissionAttributes): Json | undefined {
  let value: Json | undefined = attributes.object
  for (const key of TEMPLATES[keyOf(attributes)] ?? []) value = isObject(value) ? value[key] : undefined
  return value
}

/** A pod, or the template of one; undefined where there is none. */
function checked(value: Json | undefined): CheckedPod | undefined {
  if (!isObject(value)) return undefined
  const { annotations } = (value['metadata'] ?? {}) as { annotations?: Record<string, string> }
  return { annotations: annotations ?? {}, spec: (value['spec'] ?? {}) as CheckedSpec }
}

/** Of a pod that runs, only images change, and containers for debugging come. */
function isSignificant(spec: CheckedSpec, old: CheckedSpec = {}): boolean {
  const changed = (now: CheckedContainer[] = [], before: CheckedContainer[] = []): boolean =>
    now.length !== before.length || now.some(({ image }, i) => image !== before[i]?.image)
  return (
    changed(spec.containers, old.containers) ||
    changed(spec.initContainers, old.initContainers) ||
    (spec.ephemeralContainers ?? []).some(({ name, image }) => {
      const before = old.ephemeralContainers?.find((one) => one.name === name)
      return !before || before.image !== image
    })
  )
}
