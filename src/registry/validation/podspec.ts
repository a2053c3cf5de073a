// Rules of a pod's spec, in a pod and in every template that pods are made from.
// Follows pkg/apis/core/validation (ValidatePodSpec, ValidatePodTemplateSpec).
import type { JsonObject } from '../../machinery/json.ts'
import { annotationCauses } from '../metadata.ts'
import { nameIsDnsSubdomain } from '../../machinery/names.ts'
import { dns1123LabelErrors, dns1123SubdomainWithUnderscoreErrors } from '../../machinery/validation.ts'
import { addressFaults } from '../addresses.ts'
import { objectAt, objectsAt } from '../reading.ts'
import { ephemeralContainers, initContainers, mainContainers, type PodView } from './containers.ts'
import { podResources } from './podresources.ts'
import { resourceRequirements } from './resources.ts'
import { affinity, spreadConstraints, tolerations } from './scheduling.ts'
import { podAnnotations, profilesMatch } from './podannotations.ts'
import { hostProcessPod, operatingSystem, podSecurity } from './security.ts'
import type { Spot } from './spot.ts'
import { podVolumes } from './volumesources.ts'

const RESTART_POLICIES = ['Always', 'OnFailure', 'Never']
const DNS_POLICIES = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None']
const PREEMPTIONS = ['PreemptLowerPriority', 'Never']
const MAX_INT32 = 2 ** 31 - 1
/** What resolvers bear. */
const MAX_NAMESERVERS = 3
const MAX_SEARCHES = 32
const MAX_SEARCH_CHARACTERS = 2048
/** Linux's limit of a host name. */
const MAX_HOSTNAME = 64

const isSubdomain = (text: string): string[] => nameIsDnsSubdomain(text, false)

function resourceClaims(claims: Spot): void {
  const names = new Set<string>()
  for (const claim of claims.items()) {
    const [name, direct, template] = ['name', 'resourceClaimName', 'resourceClaimTemplateName'].map((field) =>
      claim.at(field),
    ) as [Spot, Spot, Spot]
    if (name.needed()) {
      if (names.has(name.text)) name.duplicate()
      else name.matches(dns1123LabelErrors)
      names.add(name.text)
    }
    const shown = {
      Name: name.text,
      ResourceClaimName: direct.value ?? null,
      ResourceClaimTemplateName: template.value ?? null,
    }
    if (direct.isSet && template.isSet) {
      claim.invalid(
        'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified',
        shown,
      )
    }
    if (!direct.isSet && !template.isSet) {
      claim.invalid('must specify one of: `resourceClaimName`, `resourceClaimTemplateName`', shown)
    }
    for (const ref of [direct, template]) if (ref.isSet) ref.matches(isSubdomain)
  }
}

function hostNetworkPorts(spec: Spot, isPod: boolean): void {
  if (spec.at('hostNetwork').value !== true) return
  for (const port of spec
    .at('containers')
    .items()
    .flatMap((container) => container.itemsOf('ports'))) {
    const host = port.at('hostPort')
    if ((isPod || host.number) && host.number !== port.at('containerPort').number) {
      host.invalid('must match `containerPort` when `hostNetwork` is true', host.exact)
    }
  }
}

function dns(spec: Spot): void {
  const config = spec.at('dnsConfig')
  const [servers, searches] = [config.at('nameservers'), config.at('searches')]
  if (spec.at('dnsPolicy').text === 'None') {
    if (!config.isSet) return config.required('must provide `dnsConfig` when `dnsPolicy` is None')
    const why = 'must provide at least one DNS nameserver when `dnsPolicy` is None'
    if (!servers.needed(why)) return
  }
  if (servers.items().length > MAX_NAMESERVERS) {
    servers.invalid(`must not have more than ${MAX_NAMESERVERS} nameservers`)
  }
  for (const server of servers.items()) server.matches(addressFaults)
  if (searches.items().length > MAX_SEARCHES) {
    searches.invalid(`must not have more than ${MAX_SEARCHES} search paths`)
  }
  if (
    searches
      .items()
      .map((search) => search.text)
      .join(' ').length > MAX_SEARCH_CHARACTERS
  ) {
    const why = `must not have more than ${MAX_SEARCH_CHARACTERS} characters (including spaces) in the search list`
    searches.invalid(why)
  }
  for (const search of searches.items()) {
    if (search.text !== '.')
      search.with(search.text.replace(/\.$/, '')).matches(dns1123SubdomainWithUnderscoreErrors)
  }
  for (const option of config.itemsOf('options')) {
    if (!option.at('name').text) option.required('must not be empty')
  }
}

function hostUsers(spec: Spot): void {
  if (spec.at('hostUsers').value !== false) return
  const why = 'when `hostUsers` is false'
  if (spec.at('hostNetwork').value === true) spec.at('hostNetwork').forbidden(why)
  if (spec.at('hostPID').value === true) spec.at('HostPID').forbidden(why)
  if (spec.at('hostIPC').value === true) spec.at('HostIPC').forbidden(why)
}

function names(spec: Spot): void {
  spec.at('serviceAccountName').ifSet(isSubdomain)
  spec.at('nodeName').ifSet(isSubdomain)
  const deadline = spec.at('activeDeadlineSeconds')
  if (deadline.isSet) deadline.between(1, MAX_INT32)
  spec.at('hostname').ifSet(dns1123LabelErrors)
  spec.at('subdomain').ifSet(dns1123LabelErrors)
}

function hostnameOverride(spec: Spot): void {
  const name = spec.at('hostnameOverride')
  if (!name.isSet) return
  if (spec.at('setHostnameAsFQDN').value === true) {
    name.forbidden('may not be specified when setHostnameAsFQDN is true')
  }
  if (spec.at('hostNetwork').value === true) name.forbidden('may not be specified when hostNetwork is true')
  if (name.text.length > MAX_HOSTNAME) name.tooLong(MAX_HOSTNAME)
  name.matches(isSubdomain)
}

function gates(spec: Spot): void {
  for (const gate of spec.itemsOf('readinessGates')) gate.at('conditionType').isQualifiedName()
  const seen = new Set<string>()
  for (const gate of spec.itemsOf('schedulingGates')) {
    const name = gate.at('name').text
    gate.with(name).isQualifiedName()
    if (seen.has(name)) gate.duplicate(name)
    seen.add(name)
  }
}

function hostAliases(spec: Spot): void {
  for (const alias of spec.itemsOf('hostAliases')) {
    alias.at('ip').matches(addressFaults)
    for (const name of alias.itemsOf('hostnames')) name.isSubdomain()
  }
}

const CONTAINER_LISTS = ['initContainers', 'containers', 'ephemeralContainers'] as const

/** Variables that are read from files: these lie in an empty directory of the pod. */
function fileVolumes(spec: Spot, known: ReadonlyMap<string, Spot>): void {
  for (const list of CONTAINER_LISTS) {
    const uses = (container: JsonObject): boolean =>
      objectsAt(container['env']).some(
        (variable) => objectAt(variable['valueFrom'])['fileKeyRef'] !== undefined,
      )
    if (!objectsAt(spec.object[list]).some(uses)) continue
    for (const variable of spec
      .at(list)
      .items()
      .flatMap((container) => container.itemsOf('env'))) {
      const ref = variable.at('valueFrom').at('fileKeyRef')
      if (!ref.isSet) continue
      const name = ref.at('volumeName')
      const volume = known.get(name.text)
      if (!volume) name.notFound(name.text)
      else if (!volume.at('emptyDir').isSet)
        name.invalid('referenced volume must be of type emptyDir', name.text)
    }
  }
}

/** Puts every rule to a pod's spec. `isPod`: not of a template. */
export function podSpec(spec: Spot, isPod: boolean): void {
  spec.at('terminationGracePeriodSeconds').needed()
  const volumes = podVolumes(spec.at('volumes'))
  const claimNames = spec
    .at('resourceClaims')
    .items()
    .map((claim) => claim.at('name').text)
  resourceClaims(spec.at('resourceClaims'))
  const pod: PodView = { spec, volumes, claimNames }
  mainContainers(pod)
  initContainers(pod)
  ephemeralContainers(pod)
  podResources(spec, claimNames)
  hostNetworkPorts(spec, isPod)
  spec.at('restartPolicy').neededOneOf(RESTART_POLICIES)
  spec.at('dnsPolicy').neededOneOf(DNS_POLICIES)
  spec.at('nodeSelector').isLabels()
  podSecurity(spec)
  affinity(spec.at('affinity'))
  dns(spec)
  gates(spec)
  spreadConstraints(spec.at('topologySpreadConstraints'))
  hostProcessPod(spec)
  hostUsers(spec)
  hostnameOverride(spec)
  names(spec)
  tolerations(spec.at('tolerations'))
  hostAliases(spec)
  spec.at('priorityClassName').ifSet(isSubdomain)
  const runtimeClass = spec.at('runtimeClassName')
  if (runtimeClass.isSet) runtimeClass.matches(isSubdomain)
  if (spec.at('preemptionPolicy').isSet) spec.at('preemptionPolicy').neededOneOf(PREEMPTIONS)
  if (spec.at('overhead').isSet)
    resourceRequirements(spec.at('overhead').with({ limits: spec.at('overhead').value ?? {} }), [])
  operatingSystem(spec)
  fileVolumes(spec, volumes)
}

/** Upstream's paths leave `metadata` out. */
const inMetadata = (template: Spot, name: string): Spot =>
  template.at(name).with(template.at('metadata').at(name).value)

/** A template's metadata: labels, annotations, and what these mean. */
export function templateLabels(template: Spot): void {
  const [labels, annotations] = [inMetadata(template, 'labels'), inMetadata(template, 'annotations')]
  labels.isLabels()
  annotationCauses(annotations.value as Record<string, string>, annotations.path, template.causes)
  podAnnotations(annotations, template.at('spec'))
}

/** A template's metadata and spec; what only a stored pod may have, a template may not. */
export function podTemplate(template: Spot): void {
  templateLabels(template)
  podSpec(template.at('spec'), false)
  profilesMatch(inMetadata(template, 'annotations'), template.at('spec'))
  const ephemeral = template.at('spec').at('ephemeralContainers')
  if (!ephemeral.isEmpty) ephemeral.forbidden('ephemeral containers not allowed in pod template')
}
