// Extenders as a configuration names them. Follows k8s.io/kubernetes/pkg/scheduler/apis/config/types.go (Extender) and
// validateExtenders of apis/config/validation.
import { qualifiedNameErrors } from '../../machinery/validation.ts'
import { cause, type StatusCause } from '../../machinery/status.ts'
import { Fields } from './fields.ts'

export interface ExtenderConfig {
  /** "https://127.0.0.1:8443/scheduler"; a verb is put behind it. */
  readonly urlPrefix: string
  /** '' where the extender has no say in that. */
  readonly filterVerb: string
  readonly preemptVerb: string
  readonly prioritizeVerb: string
  readonly bindVerb: string
  readonly weight: number
  readonly enableHTTPS: boolean
  readonly tls: ExtenderTls
  /** In ms. */
  readonly httpTimeout: number
  /** It is told names of nodes alone. */
  readonly nodeCacheCapable: boolean
  readonly managedResources: readonly ManagedResource[]
  /** Scheduling goes on without it. */
  readonly ignorable: boolean
}

export interface ExtenderTls {
  readonly insecure: boolean
  readonly serverName: string
  readonly certFile: string
  readonly keyFile: string
  readonly caFile: string
  /** Base64 of PEM. */
  readonly certData: string
  readonly keyData: string
  readonly caData: string
}

export interface ManagedResource {
  readonly name: string
  readonly ignoredByScheduler: boolean
}

/** As upstream. */
const TIMEOUT_MS = 5000

export function readExtenders(fields: Fields, faults: StatusCause[]): ExtenderConfig[] {
  const managed = new Set<string>()
  const extenders = fields.list('extenders', (item, path) => {
    const one = extender(new Fields(item, path, faults), faults)
    if (one.prioritizeVerb !== '' && one.weight <= 0)
      faults.push(cause.invalid(`${path}.weight`, one.weight, 'must have a positive weight applied to it'))
    one.managedResources.forEach(({ name }, i) => {
      const at = `${path}.managedResources[${i}].name`
      checkExtended(name, at, faults)
      if (managed.has(name)) faults.push(cause.invalid(at, name, 'duplicate extender managed resource name'))
      managed.add(name)
    })
    return one
  })
  const binders = extenders.filter(({ bindVerb }) => bindVerb !== '').length
  if (binders > 1) {
    const found = `found ${binders} extenders implementing bind`
    faults.push(cause.invalid('extenders', found, 'only one extender can implement bind'))
  }
  return extenders
}

function extender(fields: Fields, faults: StatusCause[]): ExtenderConfig {
  const found = {
    urlPrefix: fields.text('urlPrefix'),
    filterVerb: fields.text('filterVerb'),
    preemptVerb: fields.text('preemptVerb'),
    prioritizeVerb: fields.text('prioritizeVerb'),
    bindVerb: fields.text('bindVerb'),
    weight: fields.integer('weight', 0),
    enableHTTPS: fields.boolean('enableHTTPS'),
    tls: tlsOf(fields.fields('tlsConfig')),
    httpTimeout: fields.duration('httpTimeout', TIMEOUT_MS) || TIMEOUT_MS,
    nodeCacheCapable: fields.boolean('nodeCacheCapable'),
    managedResources: fields.list('managedResources', (item, path) => {
      const one = new Fields(item, path, faults)
      const resource = { name: one.text('name'), ignoredByScheduler: one.boolean('ignoredByScheduler') }
      one.done()
      return resource
    }),
    ignorable: fields.boolean('ignorable'),
  }
  fields.done()
  return found
}

function tlsOf(fields: Fields): ExtenderTls {
  const tls = {
    insecure: fields.boolean('insecure'),
    serverName: fields.text('serverName'),
    certFile: fields.text('certFile'),
    keyFile: fields.text('keyFile'),
    caFile: fields.text('caFile'),
    certData: fields.text('certData'),
    keyData: fields.text('keyData'),
    caData: fields.text('caData'),
  }
  fields.done()
  return tls
}

/** An extended resource has a domain of its own: "example.com/gpu". */
function checkExtended(name: string, path: string, faults: StatusCause[]): void {
  const wrong = qualifiedNameErrors(name)
  for (const why of wrong) faults.push(cause.invalid(path, name, why))
  if (wrong.length > 0) return
  const isNative = !name.includes('/') || name.includes('kubernetes.io/') || name.startsWith('requests.')
  if (isNative) faults.push(cause.invalid(path, name, 'is an invalid extended resource name'))
}
