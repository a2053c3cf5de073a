// Which groups and versions discovery tells of, and in which order: what this server serves itself, what APIServices
// register, and what other servers say of theirs.
// Follows k8s.io/kube-aggregator/pkg/apiserver (handler_apis.go, handler_discovery.go) and
// k8s.io/apiserver/pkg/endpoints/discovery/aggregated.
import {
  builtinRegistration,
  CUSTOM_PRIORITY,
  inOrder,
  type Registration,
  REGISTRATION_GROUP,
  registrationName,
} from '../machinery/apiregistration.ts'
import type { JsonObject } from '../machinery/json.ts'
import { isReleased, type ResourceRow } from '../schema/resources.ts'

/** A version of a group that another server serves: its part of aggregated discovery, with its freshness. */
export interface RemoteVersion extends Registration {
  readonly document: JsonObject
}

export interface Listing {
  /** Built-in ones first, in their order; custom ones behind. */
  readonly resources: readonly ResourceRow[]
  /** What APIService objects say; absent: what this server says of itself when it starts. */
  readonly registrations?: readonly Registration[] | undefined
  readonly remote?: readonly RemoteVersion[] | undefined
}

/** A version in aggregated discovery. */
export interface Listed extends Registration {
  /** What this server serves itself of it. */
  readonly rows: readonly ResourceRow[]
  readonly remote: JsonObject | undefined
}

/** Groups other than the core with their versions, as /apis lists them: those that are registered. */
export function registeredGroups(listing: Listing): [string, Registration[]][] {
  return inOrder(registered(listing)).filter(([group]) => group !== '')
}

/** The versions of one group; what is served and not registered counts where nothing of the group is. */
export function versionsOfGroup(listing: Listing, group: string): Registration[] {
  const known = registered(listing).filter((one) => one.group === group)
  const those = known.length > 0 ? known : served(listing).filter((one) => one.group === group)
  return inOrder(those).flatMap(([, versions]) => versions)
}

/** Groups with their versions in aggregated discovery: the core alone, or all others. */
export function aggregatedGroups(listing: Listing, core: boolean): [string, Listed[]][] {
  const all = new Map<string, Listed>()
  for (const one of served(listing)) {
    const rows = listing.resources.filter((row) => row.group === one.group && row.version === one.version)
    all.set(registrationName(one), { ...one, rows, remote: undefined })
  }
  for (const { document, ...one } of listing.remote ?? []) {
    all.set(registrationName(one), { ...one, rows: [], remote: document })
  }
  return inOrder([...all.values()].filter(({ group }) => (group === '') === core))
}

function registered(listing: Listing): readonly Registration[] {
  const { registrations } = listing
  const own = served(listing)
  if (!registrations) return own
  const known = new Set(registrations.map(registrationName))
  // Registration is not registered, and custom resources will be in a moment.
  const others = own.filter((one) => {
    const isOurs = one.group === REGISTRATION_GROUP || !builtinRegistration(one.group, one.version)
    return isOurs && !known.has(registrationName(one))
  })
  return [...registrations, ...others]
}

/** What this server serves itself. */
function served({ resources, registrations = [] }: Listing): Registration[] {
  const own = new Map<string, Registration>()
  for (const row of resources) {
    const { group, version } = row
    const name = registrationName(row)
    if (own.has(name)) continue
    const custom = isReleased(row) ? undefined : registrations.find((one) => registrationName(one) === name)
    const builtin = builtinRegistration(group, version)
    own.set(name, builtin ?? custom ?? { group, version, ...CUSTOM_PRIORITY })
  }
  return [...own.values()]
}
