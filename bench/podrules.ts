// What decoding, defaults and validation of a pod cost, in a process of their own: the pod of an ordinary size through the
// functions that the server compiles for its kind, as often as it takes until V8 has made them fast.
//
//	node tools/run.js bench/podrules.ts
//
// Prints microseconds of CPU as JSON: of all three, and of defaults and validation alone.
import { BuiltinKind } from '../src/handlers/builtinkind.ts'
import type { Json } from '../src/machinery/json.ts'
import { readJson } from '../src/machinery/jsontext.ts'
import type { KubeObject } from '../src/machinery/object.ts'
import { beforeCreate, validateCreate } from '../src/registry/generic.ts'
import type { WriteContext } from '../src/registry/strategy.ts'
import { builtinResources } from '../src/schema/resources.ts'
import { pod } from './phases.ts'

const WARM = 30_000
const COUNTED = 10_000
/** The least of several passes is what the code takes where nobody disturbs it. */
const PASSES = 5

const resource = builtinResources().find(({ group, name }) => group === '' && name === 'pods')
if (!resource) throw new Error('there are no pods')
const kind = new BuiltinKind(resource)
const bytes = Buffer.from(JSON.stringify(pod('p-00001')))

const context: WriteContext = {
  resource,
  subresource: '',
  user: { name: 'bench', groups: [] },
  namespace: 'default',
  dryRun: false,
  now: new Date(),
  lister: { get: () => undefined, list: () => [], ready: () => Promise.resolve(), version: () => 0 },
  warn: () => undefined,
}

/** As a create does it; throws where the pod is refused. */
function admit(object: KubeObject): void {
  beforeCreate(object, kind.strategy, context)
  if (validateCreate(object, kind.strategy, context).length > 0) throw new Error('the pod is refused')
}

const read = (): Json => readJson(bytes.toString())

/** Microseconds of CPU for each of so many calls. */
function cost(calls: number, work: () => void): number {
  const before = process.cpuUsage()
  for (let i = 0; i < calls; i++) work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / calls
}

const whole = (): void => admit(kind.decode(read()).object)
const decoding = (): void => void kind.decodeOnly(read())

function least(work: () => void): number {
  cost(WARM, work)
  return Math.min(...Array.from({ length: PASSES }, () => cost(COUNTED, work)))
}

const [all, decoded] = [least(whole), least(decoding)]
process.stdout.write(`${JSON.stringify({ pod_all: all, pod_rules: all - decoded })}\n`)
