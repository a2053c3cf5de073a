// Which admission plugins run, and in which order. Follows k8s.io/kubernetes/pkg/kubeapiserver/options/plugins.go.
import type { Authorizer } from '../machinery/attributes.ts'
import type { JsonObject } from '../machinery/json.ts'
import type { HookCaller } from '../machinery/webhook.ts'
import { CertificateApproval, CertificateSigning, CertificateSubjectRestriction } from './certificates.ts'
import { defaultIngressClass, defaultStorageClass } from './defaultclass.ts'
import { DefaultTolerationSeconds, type TolerationSeconds } from './defaulttolerationseconds.ts'
import { LimitRanger } from './limitranger.ts'
import { NamespaceLifecycle } from './namespacelifecycle.ts'
import type { ImagePolicyNeeds } from './optional/imagepolicywebhook.ts'
import type { CreateNamespace } from './optional/namespaces.ts'
import { NodeDeclaredFeatureValidator } from './nodedeclaredfeatures.ts'
import { PersistentVolumeClaimResize } from './persistentvolumeclaimresize.ts'
import type { AdmissionPlugin, Lookup } from './plugin.ts'
import type { PolicyNeeds } from './policies/needs.ts'
import { MutatingAdmissionPolicy } from './policies/mutating.ts'
import { ValidatingAdmissionPolicy } from './policies/validating.ts'
import { PodResizeValidator } from './podresizevalidator.ts'
import { PodSecurity } from './podsecurity/podsecurity.ts'
import { PodTopologyLabels } from './podtopologylabels.ts'
import { Priority } from './priority.ts'
import { ResourceQuota, type WriteQuotaStatus } from './resourcequota.ts'
import { RuntimeClass } from './runtimeclass.ts'
import { ServiceAccount } from './serviceaccount.ts'
import { StorageObjectInUseProtection } from './storageobjectinuseprotection.ts'
import { TaintNodesByCondition } from './taintnodesbycondition.ts'
import { MutatingAdmissionWebhook } from './webhooks/mutating.ts'
import type { WebhookNeeds } from './webhooks/needs.ts'
import { ValidatingAdmissionWebhook } from './webhooks/validating.ts'

/** What plugins need beyond the lister. */
export interface AdmissionDependencies {
  readonly authorizer: Authorizer
  /** Absent where the lister sees every write at once: one process, or no replicas. */
  readonly lookup?: Lookup
  /** Reserves what a request uses of a quota. */
  readonly writeQuotaStatus: WriteQuotaStatus
  readonly createNamespace: CreateNamespace
  /** The server that a kubeconfig names. */
  webhookOf(kubeConfigFile: string): Promise<ImagePolicyNeeds>
  /** Of --admission-control-config-file, by plugin. */
  readonly configuration?: ReadonlyMap<string, JsonObject>
  /** Absent: no webhooks are asked. */
  readonly webhooks?: WebhookNeeds
  /** Asks webhooks as the users whom a kubeconfig names after them. */
  callerAs?(kubeConfigFile: string): Promise<HookCaller>
  /** Absent: there are no policies. */
  readonly policies?: PolicyNeeds
  readonly tolerationSeconds?: TolerationSeconds
}

/** Plugins that few servers have are loaded by those. */
type Make = (
  needs: AdmissionDependencies,
) => AdmissionPlugin | undefined | Promise<AdmissionPlugin | undefined>

/** A plugin, whether upstream switches it on by itself, and how it is made here. */
interface Known {
  readonly name: string
  readonly on: boolean
  readonly make: Make
}

const on = (name: string, make: Make): Known => ({ name, on: true, make })
const off = (name: string, make: Make): Known => ({ name, on: false, make })
/** Behind a feature gate that is off: upstream runs it, and it looks at nothing. */
const idle = (name: string): Known => ({ name, on: true, make: () => undefined })

/** Upstream's names, in the order in which they run there. */
const KNOWN: readonly Known[] = [
  off('AlwaysAdmit', async () => new (await import('./optional/always.ts')).AlwaysAdmit()),
  off('NamespaceAutoProvision', async ({ createNamespace }) => {
    const { NamespaceAutoProvision } = await import('./optional/namespaces.ts')
    return new NamespaceAutoProvision(createNamespace)
  }),
  on('NamespaceLifecycle', ({ lookup }) => new NamespaceLifecycle(lookup)),
  off(
    'NamespaceExists',
    async ({ lookup }) => new (await import('./optional/namespaces.ts')).NamespaceExists(lookup),
  ),
  off(
    'LimitPodHardAntiAffinityTopology',
    async () =>
      new (await import('./optional/limitpodhardantiaffinitytopology.ts')).LimitPodHardAntiAffinityTopology(),
  ),
  on('LimitRanger', () => new LimitRanger()),
  on('ServiceAccount', ({ lookup }) => new ServiceAccount(lookup)),
  off('NodeRestriction', async ({ authorizer }) => {
    const { NodeRestriction } = await import('./noderestriction/noderestriction.ts')
    return new NodeRestriction(authorizer)
  }),
  on('TaintNodesByCondition', () => new TaintNodesByCondition()),
  off(
    'AlwaysPullImages',
    async () => new (await import('./optional/alwayspullimages.ts')).AlwaysPullImages(),
  ),
  off('ImagePolicyWebhook', async ({ configuration, webhookOf }) => {
    const { imagePolicySettings, ImagePolicyWebhook } = await import('./optional/imagepolicywebhook.ts')
    const settings = imagePolicySettings(configuration?.get('ImagePolicyWebhook'))
    return new ImagePolicyWebhook(settings, await webhookOf(settings.kubeConfigFile))
  }),
  on('PodSecurity', async ({ configuration }) => {
    const given = configuration?.get('PodSecurity')
    if (!given) return new PodSecurity()
    const { podSecuritySettings } = await import('./podsecurity/configuration.ts')
    return new PodSecurity(podSecuritySettings(given))
  }),
  off('PodNodeSelector', async ({ configuration }) => {
    const { PodNodeSelector } = await import('./optional/podnodeselector.ts')
    return new PodNodeSelector(configuration?.get('PodNodeSelector'))
  }),
  on('Priority', () => new Priority()),
  on('DefaultTolerationSeconds', ({ tolerationSeconds }) => new DefaultTolerationSeconds(tolerationSeconds)),
  off('PodTolerationRestriction', async ({ configuration }) => {
    const { PodTolerationRestriction } = await import('./optional/podtolerationrestriction.ts')
    return new PodTolerationRestriction(configuration?.get('PodTolerationRestriction'))
  }),
  off('EventRateLimit', async ({ configuration }) => {
    const { EventRateLimit } = await import('./optional/eventratelimit.ts')
    return new EventRateLimit(configuration?.get('EventRateLimit'))
  }),
  off(
    'ExtendedResourceToleration',
    async () => new (await import('./optional/extendedresourcetoleration.ts')).ExtendedResourceToleration(),
  ),
  on('DefaultStorageClass', defaultStorageClass),
  on('StorageObjectInUseProtection', () => new StorageObjectInUseProtection()),
  idle('PodGroupProtection'),
  off('OwnerReferencesPermissionEnforcement', async ({ authorizer }) => {
    const { OwnerReferencesPermissionEnforcement } =
      await import('./optional/ownerreferencespermissionenforcement.ts')
    return new OwnerReferencesPermissionEnforcement(authorizer)
  }),
  on('PersistentVolumeClaimResize', () => new PersistentVolumeClaimResize()),
  on('RuntimeClass', ({ lookup }) => new RuntimeClass(lookup)),
  on('CertificateApproval', ({ authorizer }) => new CertificateApproval(authorizer)),
  on('CertificateSigning', ({ authorizer }) => new CertificateSigning(authorizer)),
  idle('ClusterTrustBundleAttest'),
  on('CertificateSubjectRestriction', () => new CertificateSubjectRestriction()),
  on('DefaultIngressClass', defaultIngressClass),
  off(
    'DenyServiceExternalIPs',
    async () => new (await import('./optional/denyserviceexternalips.ts')).DenyServiceExternalIPs(),
  ),
  on('PodTopologyLabels', () => new PodTopologyLabels()),
  idle('PodGroupWorkloadExists'),
  on('NodeDeclaredFeatureValidator', () => new NodeDeclaredFeatureValidator()),
  idle('JobValidation'),
  on('PodResizeValidator', () => new PodResizeValidator()),
  on('MutatingAdmissionPolicy', ({ policies }) => policies && new MutatingAdmissionPolicy(policies)),
  on('MutatingAdmissionWebhook', async (needs) => {
    const webhooks = await webhookNeeds(needs, 'MutatingAdmissionWebhook')
    return webhooks && new MutatingAdmissionWebhook(webhooks)
  }),
  on('ValidatingAdmissionPolicy', ({ policies }) => policies && new ValidatingAdmissionPolicy(policies)),
  on('ValidatingAdmissionWebhook', async (needs) => {
    const webhooks = await webhookNeeds(needs, 'ValidatingAdmissionWebhook')
    return webhooks && new ValidatingAdmissionWebhook(webhooks)
  }),
  on('ResourceQuota', async ({ writeQuotaStatus, configuration }) => {
    const given = configuration?.get('ResourceQuota')
    if (!given) return new ResourceQuota(writeQuotaStatus)
    const { limitedResources } = await import('./limitedresources.ts')
    return new ResourceQuota(writeQuotaStatus, Date.now, limitedResources(given))
  }),
  off('AlwaysDeny', async () => new (await import('./optional/always.ts')).AlwaysDeny()),
]

/** Who asks the webhooks of a plugin is what its configuration says, or nobody in particular. */
async function webhookNeeds(
  { webhooks, configuration, callerAs }: AdmissionDependencies,
  plugin: string,
): Promise<WebhookNeeds | undefined> {
  const given = configuration?.get(plugin)
  if (!webhooks || !given || !callerAs) return webhooks
  const { kubeConfigFileOf } = await import('./webhooks/configuration.ts')
  const file = kubeConfigFileOf(given)
  return file === '' ? webhooks : { ...webhooks, caller: await callerAs(file) }
}

export interface AdmissionSwitches {
  /** --enable-admission-plugins */
  readonly enable?: readonly string[]
  /** --disable-admission-plugins */
  readonly disable?: readonly string[]
}

/**
 * The plugins to run, in order. Rejects with an Error with one line of text for a name that upstream does not know, and one
 * in both lists.
 */
export async function admissionPlugins(
  switches: AdmissionSwitches,
  needs: AdmissionDependencies,
): Promise<AdmissionPlugin[]> {
  const enable = new Set(switches.enable)
  const disable = new Set(switches.disable)
  checkSwitches(enable, disable)
  const plugins: AdmissionPlugin[] = []
  for (const known of KNOWN) {
    const wanted = enable.has(known.name) || (known.on && !disable.has(known.name))
    const plugin = wanted ? await known.make(needs) : undefined
    if (plugin) plugins.push(plugin)
  }
  return plugins
}

function checkSwitches(enable: ReadonlySet<string>, disable: ReadonlySet<string>): void {
  const known = new Set(KNOWN.map(({ name }) => name))
  const faults: string[] = []
  for (const name of enable) {
    if (!known.has(name)) faults.push(`enable-admission-plugins plugin ${JSON.stringify(name)} is unknown`)
  }
  for (const name of disable) {
    if (!known.has(name)) faults.push(`disable-admission-plugins plugin ${JSON.stringify(name)} is unknown`)
  }
  const both = [...enable].filter((name) => disable.has(name)).sort()
  if (both.length) {
    faults.push(`[${both.join(' ')}] in enable-admission-plugins and disable-admission-plugins overlapped`)
  }
  if (faults.length) throw new Error(faults.join('; '))
}
