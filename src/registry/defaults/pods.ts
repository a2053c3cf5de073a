// Defaults of pods and of everything that holds a pod template.
// Follows k8s.io/kubernetes/pkg/apis/core/v1: defaults.go, and the effects of conversion.go that clients see.
import { isObject, type JsonObject } from '../../machinery/json.ts'
import { defaultPodLevelResources, roundedIn } from './quantities.ts'
import { put, type Rules, structAt, structIn, structsIn } from './rules.ts'
import { FIELD_REF_ITEMS, pullPolicyOf, VOLUME } from './volumes.ts'

const HTTP_GET: Rules = { empty: { path: '/', scheme: 'HTTP' } }

const PROBE: Rules = {
  empty: { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 },
  present: { httpGet: HTTP_GET, grpc: { absent: { service: '' } } },
}

const ENV: Rules = {
  present: {
    valueFrom: { present: { ...FIELD_REF_ITEMS.present, fileKeyRef: { absent: { optional: false } } } },
  },
}

const LIFECYCLE: Rules = {
  present: { postStart: { present: { httpGet: HTTP_GET } }, preStop: { present: { httpGet: HTTP_GET } } },
}

const CONTAINER: Rules = {
  first: (container) => {
    if (!container.imagePullPolicy) container.imagePullPolicy = pullPolicyOf(container.image)
  },
  empty: { terminationMessagePath: '/dev/termination-log', terminationMessagePolicy: 'File' },
  embedded: { resources: { last: roundedIn('limits', 'requests') } },
  present: { livenessProbe: PROBE, readinessProbe: PROBE, startupProbe: PROBE, lifecycle: LIFECYCLE },
  items: { ports: { empty: { protocol: 'TCP' } }, env: ENV },
}

/** PodSpec, of pods and of templates. */
const POD_SPEC: Rules = {
  absent: { securityContext: () => ({}), terminationGracePeriodSeconds: 30 },
  empty: { dnsPolicy: 'ClusterFirst', restartPolicy: 'Always', schedulerName: 'default-scheduler' },
  present: { resources: { last: roundedIn('limits', 'requests') } },
  items: {
    volumes: VOLUME,
    initContainers: CONTAINER,
    containers: CONTAINER,
    ephemeralContainers: CONTAINER,
  },
  last: (spec) => {
    if (spec.overhead !== undefined) roundOverhead(spec)
    alignServiceAccount(spec)
  },
}

const roundOverhead = roundedIn('overhead')

/** PodTemplateSpec. */
export const POD_TEMPLATE: Rules = {
  embedded: { metadata: { last: dropInitContainerAnnotations }, spec: POD_SPEC },
}

const CONTAINER_STATUS: Rules = {
  first: roundedIn('allocatedResources'),
  present: { resources: { last: roundedIn('limits', 'requests') } },
}

export const POD: Rules = {
  first: (pod) => defaultPod(structIn(pod, 'spec')),
  embedded: {
    metadata: { last: dropInitContainerAnnotations },
    spec: POD_SPEC,
    status: {
      first: roundedIn('allocatedResources'),
      present: { resources: { last: roundedIn('limits', 'requests') } },
      items: {
        initContainerStatuses: CONTAINER_STATUS,
        containerStatuses: CONTAINER_STATUS,
        ephemeralContainerStatuses: CONTAINER_STATUS,
      },
      last: (status) => alignFirst(status, 'podIP', 'podIPs', (ip) => ({ ip })),
    },
  },
  last: (pod) => {
    // A negative period is taken for "at once, but not by force"; templates keep what they say.
    const spec = structIn(pod, 'spec')
    if (Number(spec.terminationGracePeriodSeconds) < 0) spec.terminationGracePeriodSeconds = 1
  },
}

function defaultPod(spec: JsonObject): void {
  for (const container of structsIn(spec, 'containers')) requestLimits(container)
  for (const container of structsIn(spec, 'initContainers')) requestLimits(container)
  if (isObject(spec.resources)) defaultPodLevelResources(spec, spec.resources)
  if (spec.enableServiceLinks === undefined || spec.enableServiceLinks === null)
    spec.enableServiceLinks = true
  if (spec.hostNetwork !== true) return
  for (const key of ['containers', 'initContainers']) {
    for (const container of structsIn(spec, key)) {
      for (const port of structsIn(container, 'ports')) port.hostPort ||= port.containerPort
    }
  }
}

/** What is limited but not requested is requested up to its limit. */
function requestLimits(container: JsonObject): void {
  const resources = structAt(container, 'resources')
  const limits = resources && structAt(resources, 'limits')
  if (!resources || !limits) return
  const requests = structIn(resources, 'requests')
  for (const name of Object.keys(limits)) {
    if (!Object.hasOwn(requests, name)) put(requests, name, limits[name])
  }
}

/** `serviceAccount` is the old name of `serviceAccountName`; the new name wins, and both always say the same. */
function alignServiceAccount(spec: JsonObject): void {
  const name = spec.serviceAccountName || spec.serviceAccount
  if (name) {
    spec.serviceAccountName = name
    spec.serviceAccount = name
  } else {
    delete spec.serviceAccountName
    delete spec.serviceAccount
  }
}

/**
 * A field that grew into a list keeps its old name for the first item (podIP and podIPs, podCIDR and podCIDRs):
 * where both are set and differ the old name wins, for the sake of old writers.
 */
export function alignFirst(
  object: JsonObject,
  single: string,
  plural: string,
  wrap: (value: string) => JsonObject | string,
): void {
  const one = object[single]
  const many = object[plural]
  const first = Array.isArray(many) ? many[0] : undefined
  const firstValue = isObject(first) ? Object.values(first)[0] : first
  if (typeof one === 'string' && one !== '') {
    if (one !== firstValue) object[plural] = [wrap(one)]
  } else if (typeof firstValue === 'string') {
    object[single] = firstValue
  }
}

const INIT_CONTAINER_ANNOTATIONS = [
  'pod.beta.kubernetes.io/init-containers',
  'pod.alpha.kubernetes.io/init-containers',
  'pod.beta.kubernetes.io/init-container-statuses',
  'pod.alpha.kubernetes.io/init-container-statuses',
]

/** Init containers lived in annotations once; upstream drops these so that no old reader obeys them. */
function dropInitContainerAnnotations(metadata: JsonObject): void {
  const annotations = structAt(metadata, 'annotations')
  if (!annotations) return
  let dropped = false
  for (const key of INIT_CONTAINER_ANNOTATIONS) {
    if (!Object.hasOwn(annotations, key)) continue
    delete annotations[key]
    dropped = true
  }
  if (dropped && Object.keys(annotations).length === 0) delete metadata.annotations
}
