// Asks kube-apiserver and this server the same few requests, and then for their metrics: which families are missing here,
// which differ in type or labels, and which are ours alone. Go's own and those of libraries in it are left out.
//
//	node tools/run.js conformance/differential/metrics.ts -- --upstream URL --ours URL [--token T]
//
// Both servers take the token (secret) as an administrator's. Ends with `N of M families are missing, K differ`; exits 1
// where some differ. What is missing is told, and no failure: docs/compatibility.md says what has no meaning here.
import { parseArgs } from 'node:util'
import { Peer } from './answers.ts'
import { named, SERVERS } from './servers.ts'

const { values: options } = parseArgs({
  options: {
    ...SERVERS,
  },
})

/** Of the language and its libraries. */
const FOREIGN =
  /^(go_|grpc_|rest_client_|process_|nodejs_|etcd_|workqueue_|(hidden|disabled|registered)_metrics)/
const NAMESPACE = 'metrics-differ'
const MAPS = `/api/v1/namespaces/${NAMESPACE}/configmaps`

interface FamilyFacts {
  type: string
  readonly labels: Set<string>
}

/** Families by their names, of Prometheus' text. */
function familiesOf(text: string): Map<string, FamilyFacts> {
  const families = new Map<string, FamilyFacts>()
  for (const line of text.split('\n')) {
    const [, declared = '', type = ''] = /^# TYPE (\S+) (\S+)/.exec(line) ?? []
    if (declared !== '') families.set(declared, { type, labels: new Set() })
    const [, name = '', labels = ''] = /^([a-zA-Z_:0-9]+)(?:\{(.*)\})? /.exec(line) ?? []
    const family = families.get(name) ?? families.get(name.replace(/_(bucket|sum|count)$/, ''))
    for (const [, label = ''] of labels.matchAll(/([a-zA-Z_]+)="/g)) family?.labels.add(label)
  }
  return families
}

async function metricsOf(url: string): Promise<Map<string, FamilyFacts>> {
  const peer = new Peer(url, options.token)
  await peer.send('POST', '/api/v1/namespaces', { metadata: { name: NAMESPACE } })
  await peer.send('POST', MAPS, { metadata: { name: 'a' }, data: { a: 'b' } })
  await peer.send('POST', `${MAPS}?dryRun=All`, { metadata: { name: 'b' } })
  await peer.send('GET', MAPS)
  await peer.send('GET', `${MAPS}/nothing`)
  await peer.send('GET', `${MAPS}?watch=1&timeoutSeconds=1`)
  await peer.send('GET', '/api/v1/endpoints')
  await peer.send('DELETE', MAPS)
  await peer.send('DELETE', `/api/v1/namespaces/${NAMESPACE}`)
  const { body } = await peer.send('GET', '/metrics')
  return familiesOf(typeof body === 'string' ? body : '')
}

const shown = ({ type, labels }: FamilyFacts): string => `${type} {${[...labels].sort().join(', ')}}`

async function main(): Promise<void> {
  const { upstream, ours: own } = named(options)
  const [theirs, ours] = [await metricsOf(upstream), await metricsOf(own)]
  let missing = 0
  let differing = 0
  let compared = 0
  for (const [name, facts] of theirs) {
    if (FOREIGN.test(name)) continue
    compared += 1
    const found = ours.get(name)
    if (!found) {
      missing += 1
      console.log(`missing  ${name} ${shown(facts)}`)
    } else if (shown(found) !== shown(facts)) {
      differing += 1
      console.log(`differs  ${name} ${shown(facts)}; here ${shown(found)}`)
    }
  }
  for (const name of ours.keys())
    if (!theirs.has(name) && !FOREIGN.test(name)) console.log(`ours     ${name}`)
  console.log(`${missing} of ${compared} families are missing, ${differing} differ`)
  if (differing > 0) process.exitCode = 1
}

await main()
