// What constrained impersonation asks of a user's extra: keys like "example.com/scopes", in lower case, with values.
// Follows validateExtra in k8s.io/apiserver/pkg/endpoints/filters/impersonation.
import { goQuote } from '../machinery/quote.ts'
import { dns1123SubdomainErrors, regexError } from '../machinery/validation.ts'

const PATH = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+"
const PATH_REGEX = new RegExp(`^${PATH}$`)

/** Why the extra is refused, in upstream's words; undefined where it is good. */
export function extraFault(extra: Readonly<Record<string, readonly string[]>>): string | undefined {
  for (const [key, values] of Object.entries(extra)) {
    if (key === '') return 'impersonating the empty string key in extra is not allowed'
    const fault = keyFault(key)
    if (fault !== undefined) return `impersonating an invalid key in extra is not allowed: ${fault}`
    if (key !== key.toLowerCase()) {
      return `impersonating a non-lowercase key in extra is not allowed: ${goQuote(key)}`
    }
    if (values.includes('')) return 'impersonating the empty string value in extra is not allowed'
  }
  return undefined
}

function keyFault(key: string): string | undefined {
  const faults = domainPathFaults(key).map(
    ({ value, why }) => `extra.key: Invalid value: ${goQuote(value)}: ${why}`,
  )
  if (faults.length === 0) return undefined
  return faults.length === 1 ? faults[0] : `[${faults.join(', ')}]`
}

/** What keeps a key from being a path below a domain, and what of it does. */
export function domainPathFaults(key: string): { readonly value: string; readonly why: string }[] {
  const slash = key.indexOf('/')
  const [host, path] = [key.slice(0, slash), key.slice(slash + 1)]
  if (slash <= 0 || path === '')
    return [{ value: key, why: 'must be a domain-prefixed path (such as "acme.io/foo")' }]
  const faults = dns1123SubdomainErrors(host).map((why) => ({ value: host, why }))
  if (!PATH_REGEX.test(path)) faults.push({ value: path, why: regexError('Invalid path', PATH) })
  return faults
}
