// What reads the store, and those who decide by what is in it: caches, authorizers, admission, scopes.
// One side of apiserver.ts; follows k8s.io/kubernetes/pkg/controlplane/apiserver (config.go).
import { setTimeout as delay } from 'node:timers/promises'
import { AdmissionChain } from '../../admission/chain.ts'
import { AdmissionMeters } from '../../admission/meters.ts'
import type { ImagePolicyNeeds } from '../../admission/optional/imagepolicywebhook.ts'
import type { AdmissionPlugin } from '../../admission/plugin.ts'
import { type AdmissionDependencies, admissionPlugins } from '../../admission/plugins.ts'
import { webhookConditions } from '../../admission/policies/conditions.ts'
import type { RuleAuthorizer } from '../../authz/chain.ts'
import { claimStatusCheck, isClaimStatus } from '../../authz/claimstatus.ts'
import { escalationCheck, guardsResource } from '../../authz/escalation.ts'
import { requireAllowed } from '../../authz/forbidden.ts'
import { NodeAuthorizer } from '../../authz/node.ts'
import { RbacAuthorizer } from '../../authz/rbac.ts'
import { CacheLister, storedVersion } from '../../handlers/lister.ts'
import type { ApiRequest } from '../../handlers/request.ts'
import { Scopes, type WriteToAuthorize } from '../../handlers/scope.ts'
import type { Authorizer } from '../../machinery/attributes.ts'
import type { GroupResource } from '../../machinery/gvk.ts'
import { ServedResources } from '../../registry/served.ts'
import { builtinResources } from '../../schema/resources.ts'
import { describeField } from '../../server/descriptions.ts'
import { Caches } from '../../storage/cache/caches.ts'
import type { Storage } from '../../storage/interface.ts'
import { authorizationOf } from '../access/authorization.ts'
import { claimsOn } from './claims.ts'
import { lazyHookCaller, type LazyHookCaller } from '../webhooks/hooks.ts'
import { writeInternal, writeStatusInternal } from './internal.ts'
import type { Log } from '../log.ts'
import { objectForms, policyNeeds } from '../webhooks/objectforms.ts'
import { type ApiServerOptions, orStartError } from '../options.ts'

/** What reads the store: caches, and those who decide by what is in them. */
export interface ReadingSide {
  readonly caches: Caches
  readonly lister: CacheLister
  readonly authorizer: RuleAuthorizer
  readonly scopes: Scopes
  /** Asks webhooks: of admission, where nothing else is configured, and of the conversion of custom resources. */
  readonly hookCaller: LazyHookCaller
  /** Ends the connections to all webhooks. */
  closeHooks(): void
  readonly served: ServedResources
  /** Ends what decides on requests by files and webhooks. */
  closeAuthorization(): void
  readonly admissionMeters: AdmissionMeters
}

export async function readingSide(
  options: ApiServerOptions,
  storage: Storage,
  log: Log,
): Promise<ReadingSide> {
  const caches = new Caches(storage)
  const served = new ServedResources()
  const lister = new CacheLister((resource) => scopes.of(storedVersion(served.all(), resource)).cache)
  const rbac = new RbacAuthorizer(lister)
  const node = new NodeAuthorizer(lister)
  const { authorizer, close: closeAuthorization } = await authorizationOf({ options, log, rbac, node })
  const hookCaller = lazyHookCaller(lister)
  const callers = [hookCaller]
  const forms = objectForms(
    () => scopes,
    () => served.all(),
  )
  const meters = new AdmissionMeters()
  const plugins = await pluginsOf(options, {
    authorizer,
    writeQuotaStatus: (quota) => writeStatusInternal(scopes, quota),
    createNamespace: (name) => {
      const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }
      return writeInternal(scopes, namespace, 'create')
    },
    webhookOf: imagePolicyNeeds,
    async callerAs(kubeConfigFile) {
      const { hookUsers } = await import('../webhooks/users.ts')
      const caller = lazyHookCaller(lister, await hookUsers(kubeConfigFile))
      callers.push(caller)
      return caller
    },
    webhooks: { caller: hookCaller, forms, conditions: webhookConditions(authorizer), meters },
    policies: policyNeeds(() => scopes, { forms, authorizer, served }),
  })
  const scopes: Scopes = new Scopes({
    caches,
    lister,
    admission: new AdmissionChain(plugins, lister, meters),
    settings: {
      serviceClusterIPRange: options.serviceClusterIpRange,
      serviceNodePortRange: options.serviceNodePortRange,
      eventTtlSeconds: options.eventTtlSeconds,
      allowPrivileged: options.allowPrivileged,
    },
    claims: claimsOn(() => scopes, stored),
    describe: describeField,
    authorizeWrite: (write, verb) => guardWrite(write, verb, { authorizer, rbac }),
    authorizeCreate: (request) => guardCreate(request, authorizer),
    customKind: (resource) => served.kindOf(resource),
    now: () => new Date(),
  })
  const closeHooks = (): void => callers.forEach((caller) => caller.close())
  return {
    ...{ caches, lister, authorizer, scopes, hookCaller, closeHooks, served, closeAuthorization },
    admissionMeters: meters,
  }
}

async function imagePolicyNeeds(kubeConfigFile: string): Promise<ImagePolicyNeeds> {
  const { webhookOf } = await import('../access/webhookfile.ts')
  const { call } = await webhookOf(kubeConfigFile)
  return { post: call, now: () => performance.now(), wait: (ms) => delay(ms) }
}

async function pluginsOf(
  options: ApiServerOptions,
  needs: AdmissionDependencies,
): Promise<AdmissionPlugin[]> {
  const { admissionControlConfigFile: file } = options
  const configuration = file && (await (await import('./admission-file.ts')).admissionConfiguration(file))
  const switches = { enable: options.enableAdmissionPlugins, disable: options.disableAdmissionPlugins }
  try {
    return await admissionPlugins(switches, { ...needs, ...(configuration ? { configuration } : {}) })
  } catch (error) {
    return orStartError(() => {
      throw error
    })
  }
}

/** The version in which a built-in resource lies in the store. */
export const stored = (resource: GroupResource) => storedVersion(builtinResources(), resource)

function guardWrite(
  write: WriteToAuthorize,
  verb: string,
  authority: { readonly authorizer: Authorizer; readonly rbac: RbacAuthorizer },
): undefined | Promise<void> {
  const { group, version, name: resource } = write.resource
  if (isClaimStatus({ group, resource }, write.subresource))
    return claimStatusCheck({ verb, version, ...write }, authority.authorizer)
  if (!guardsResource({ group, resource })) return undefined
  const { user, namespace, object, old } = write
  // A create's path names no object, so that rules with resourceNames never cover it.
  const name = old ? write.name : ''
  return escalationCheck({ user, resource, namespace, name, object, old }, authority)
}

/** A PUT or PATCH that creates asks for what a POST would. */
async function guardCreate({ info, user }: ApiRequest, authorizer: Authorizer): Promise<void> {
  const attributes = { ...info, verb: 'create', user }
  requireAllowed(attributes, await authorizer.authorize(attributes))
}
