// Whether some rules grant all that others grant, and what is missing, down to single verbs of single resources.
// Follows k8s.io/component-helpers/auth/rbac/validation and k8s.io/kubernetes/pkg/registry/rbac/validation (compaction).
import { goQuoteList } from '../machinery/quote.ts'
import { type PolicyRule, urlCovers } from './policy.ts'

/** The atoms of `wanted` that no single rule of `held` covers; empty where all are held. */
export function missingRules(held: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] {
  return wanted.flatMap(atomsOf).filter((atom) => !held.some((rule) => ruleCovers(rule, atom)))
}

/** Lines that name the missing permissions, sorted, verbs of one resource together. */
export function describeRules(atoms: readonly PolicyRule[]): string[] {
  return [...new Set(compact(atoms).map(describe))].sort(byBytes)
}

const list = (values: string[] | undefined): string[] => values ?? []

/** One verb, and either one resource of one group (with at most one name) or one URL each. */
function atomsOf(rule: PolicyRule): PolicyRule[] {
  const names: (string[] | undefined)[] = list(rule.resourceNames).length
    ? list(rule.resourceNames).map((name) => [name])
    : [undefined]
  const atoms: PolicyRule[] = []
  for (const group of list(rule.apiGroups)) {
    for (const resource of list(rule.resources)) {
      for (const verb of list(rule.verbs)) {
        for (const resourceNames of names) {
          const atom = { apiGroups: [group], resources: [resource], verbs: [verb] }
          atoms.push(resourceNames ? { ...atom, resourceNames } : atom)
        }
      }
    }
  }
  for (const url of list(rule.nonResourceURLs)) {
    for (const verb of list(rule.verbs)) atoms.push({ nonResourceURLs: [url], verbs: [verb] })
  }
  return atoms
}

function ruleCovers(rule: PolicyRule, atom: PolicyRule): boolean {
  return (
    holds(rule.verbs, atom.verbs) &&
    holds(rule.apiGroups, atom.apiGroups) &&
    list(atom.resources).every((resource) => resourceCovers(list(rule.resources), resource)) &&
    namesCover(list(rule.resourceNames), list(atom.resourceNames)) &&
    list(atom.nonResourceURLs).every((url) => list(rule.nonResourceURLs).some((own) => urlCovers(own, url)))
  )
}

function holds(own: string[] | undefined, wanted: string[] | undefined): boolean {
  return list(own).includes('*') || list(wanted).every((value) => list(own).includes(value))
}

function resourceCovers(own: readonly string[], resource: string): boolean {
  if (own.includes('*') || own.includes(resource)) return true
  const slash = resource.indexOf('/')
  return slash !== -1 && own.includes(`*${resource.slice(slash)}`)
}

function namesCover(own: readonly string[], wanted: readonly string[]): boolean {
  if (own.length === 0) return true
  return wanted.length > 0 && wanted.every((name) => own.includes(name))
}

/** Joins the verbs of atoms that are otherwise the same; atoms of URLs stay single. */
function compact(atoms: readonly PolicyRule[]): PolicyRule[] {
  const compacted: PolicyRule[] = []
  const byResource = new Map<string, PolicyRule>()
  for (const atom of atoms) {
    if (atom.nonResourceURLs) {
      compacted.push(atom)
      continue
    }
    const key = JSON.stringify([atom.apiGroups, atom.resources, atom.resourceNames ?? null])
    const known = byResource.get(key)
    if (known) known.verbs = [...list(known.verbs), ...list(atom.verbs)]
    else byResource.set(key, { ...atom })
  }
  return [...compacted, ...byResource.values()]
}

function describe(rule: PolicyRule): string {
  const parts: [string, string[]][] = [
    ['APIGroups', list(rule.apiGroups)],
    ['Resources', list(rule.resources)],
    ['NonResourceURLs', list(rule.nonResourceURLs)],
    ['ResourceNames', list(rule.resourceNames)],
    ['Verbs', list(rule.verbs)],
  ]
  const shown = parts.filter(([, values]) => values.length > 0)
  return `{${shown.map(([name, values]) => `${name}:${goQuoteList(values)}`).join(', ')}}`
}

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))
