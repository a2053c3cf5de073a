// Which Accept headers ask for aggregated discovery, and in which encoding.
// Follows k8s.io/apiserver/pkg/endpoints/discovery/aggregated: it looks for a clause of the aggregated kind anywhere
// in the header, before any other clause counts; v2beta1 is gone.

const ENCODINGS = {
  'application/json': 'json',
  'application/yaml': 'yaml',
  'application/vnd.kubernetes.protobuf': 'protobuf',
  'application/*': 'json',
  '*/*': 'json',
} as const

export type DiscoveryEncoding = (typeof ENCODINGS)[keyof typeof ENCODINGS]

/** Headers are short; more clauses than this are noise. */
const MAX_CLAUSES = 64

/** The encoding of the aggregated document that the header asks for; undefined where it asks for none. */
export function aggregatedEncoding(accept: string | undefined): DiscoveryEncoding | undefined {
  if (accept === undefined || !accept.includes('APIGroupDiscoveryList')) return undefined
  let best: { encoding: DiscoveryEncoding; quality: number } | undefined
  for (const clause of accept.split(',', MAX_CLAUSES)) {
    const [type = '', ...rest] = clause.split(';').map((part) => part.trim())
    const parameters = new Map(
      rest.map((part) => [part.split('=')[0] ?? '', part.slice(part.indexOf('=') + 1)]),
    )
    if (!Object.hasOwn(ENCODINGS, type) || !isAggregated(parameters)) continue
    const q = Number(parameters.get('q') ?? '1')
    const quality = Number.isNaN(q) ? 1 : q
    if (best === undefined || quality > best.quality) {
      best = { encoding: ENCODINGS[type as keyof typeof ENCODINGS], quality }
    }
  }
  return best?.encoding
}

function isAggregated(parameters: ReadonlyMap<string, string>): boolean {
  return (
    parameters.get('g') === 'apidiscovery.k8s.io' &&
    parameters.get('v') === 'v2' &&
    parameters.get('as') === 'APIGroupDiscoveryList'
  )
}
