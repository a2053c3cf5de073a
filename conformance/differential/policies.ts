// Differential test of admission policies: drawn policies, validating and mutating, with bindings and parameters, go to a
// kube-apiserver and to this server. Those with faults are dry runs whose refusals are compared; those that are sound are
// waited for on both sides, and then objects are put before them, whose answers (refusals, warnings, what was made of the
// object) are compared.
//
//	node tools/run.js conformance/differential/policies.ts -- --upstream URL --ours URL [--token T]
//	   --seed N   --rounds N (10)   --faults N of each round (30)   --objects N of each round (30)
//	   --verbose  whole policies
//
// Ends with `N requests, N differ`; exits 1 where some do.
import { parseArgs } from 'node:util'
import type { JsonObject } from '../../src/machinery/json.ts'
import { type Answer, differences, mapOf } from './answers.ts'
import { type Draw, drawing } from './mutations.ts'
import { inOrder } from './owned.ts'
import { breakBinding, breakPolicy } from './policy-faults.ts'
import {
  ADMISSION,
  type Context,
  DEPLOYMENT,
  drawBinding,
  drawMap,
  drawPolicy,
  type PolicyKind,
  SCALER,
} from './policy-shapes.ts'
import { type Answers, DRAWN, Servers } from './servers.ts'

const { values: options } = parseArgs({
  options: {
    ...DRAWN,
    rounds: { type: 'string', default: '10' },
    faults: { type: 'string', default: '30' },
    objects: { type: 'string', default: '30' },
  },
})

const SHOWN = 6
const PLURAL: Readonly<Record<PolicyKind, string>> = {
  ValidatingAdmissionPolicy: 'validatingadmissionpolicies',
  MutatingAdmissionPolicy: 'mutatingadmissionpolicies',
}
const bindingsOf = (kind: PolicyKind): string => `${ADMISSION}/${kind.toLowerCase()}bindings`

class Run {
  readonly #servers: Servers
  requests = 0
  differing = 0

  constructor(servers: Servers) {
    this.#servers = servers
  }

  /**
   * Policies with parameters that stay until the end: upstream's informer of what parameters are of ends with the last
   * policy that names them, and for kinds of its own never comes back.
   */
  async anchor(id: string): Promise<void> {
    const name = `anchor-${id}`
    const rules = [{ apiGroups: [''], apiVersions: ['v1'], resources: ['bindings'], operations: ['CREATE'] }]
    const shared = {
      paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
      matchConstraints: { resourceRules: rules },
    }
    const label = { patchType: 'ApplyConfiguration', applyConfiguration: { expression: 'Object{}' } }
    const own = {
      ValidatingAdmissionPolicy: { validations: [{ expression: 'true' }] },
      MutatingAdmissionPolicy: { reinvocationPolicy: 'Never', mutations: [label] },
    }
    for (const kind of ['ValidatingAdmissionPolicy', 'MutatingAdmissionPolicy'] as const) {
      const spec = { ...shared, failurePolicy: 'Ignore', ...own[kind] }
      await this.#servers.send('POST', `${ADMISSION}/${PLURAL[kind]}`, { metadata: { name }, spec })
      const bound: JsonObject = { policyName: name, paramRef: { name, parameterNotFoundAction: 'Allow' } }
      if (kind === 'ValidatingAdmissionPolicy') bound['validationActions'] = ['Warn']
      await this.#servers.send('POST', bindingsOf(kind), { metadata: { name }, spec: bound })
    }
  }

  async round(draw: Draw, namespace: string): Promise<void> {
    const at: Context = { namespace, hasParams: draw.chance(0.5), hasVariables: draw.chance(0.5) }
    const kind: PolicyKind = draw.chance(0.6) ? 'ValidatingAdmissionPolicy' : 'MutatingAdmissionPolicy'
    await this.#servers.send('POST', '/api/v1/namespaces', { metadata: { name: namespace } })
    for (const name of ['p1', 'p2']) await this.#parameters(draw, namespace, name)
    await this.#present(draw, namespace)
    const policy = drawPolicy(draw, kind, `${namespace}-p`, at)
    await this.#faults(draw, kind, policy, at)
    // One alone: which of several refuses first is up to the order of Go's maps.
    const bindings = [drawBinding(draw, policy, `${namespace}-b`, at)]
    const made = [
      this.#compare(
        await this.#servers.send('POST', `${ADMISSION}/${PLURAL[kind]}`, policy),
        'sound',
        policy,
      ),
    ]
    for (const binding of bindings)
      made.push(
        this.#compare(await this.#servers.send('POST', bindingsOf(kind), binding), 'binding', binding),
      )
    if (made.every((both) => both)) {
      await this.#settled(kind, namespace)
      for (let i = 0; i < Number(options.objects); i++)
        await this.#object(draw, namespace, [policy, ...bindings])
    }
    for (const { metadata } of bindings)
      await this.#servers.send('DELETE', `${bindingsOf(kind)}/${String(mapOf(metadata)['name'])}`)
    await this.#servers.send('DELETE', `${ADMISSION}/${PLURAL[kind]}/${namespace}-p`)
  }

  async #parameters(draw: Draw, namespace: string, name: string): Promise<void> {
    const body = {
      metadata: { name, labels: { use: name === 'p1' || draw.chance(0.3) ? 'param' : 'none' } },
      data: { max: draw.of(['1', '3', '9']), mode: draw.of(['strict', 'loose']) },
    }
    await this.#servers.send('POST', `/api/v1/namespaces/${namespace}/configmaps`, body)
  }

  /** What later requests change. */
  async #present(draw: Draw, namespace: string): Promise<void> {
    for (const name of ['ab', 'bb'])
      await this.#servers.send('POST', `/api/v1/namespaces/${namespace}/configmaps`, drawMap(draw, name))
    const deployment = DEPLOYMENT('ab', 1)
    await this.#servers.send('POST', `/apis/apps/v1/namespaces/${namespace}/deployments`, deployment)
  }

  async #faults(draw: Draw, kind: PolicyKind, sound: JsonObject, at: Context): Promise<void> {
    for (let i = 0; i < Number(options.faults); i++) {
      if (draw.chance(0.2)) {
        const { binding, fault } = breakBinding(draw, drawBinding(draw, sound, 'broken', at))
        const answers = await this.#servers.send('POST', `${bindingsOf(kind)}?dryRun=All`, binding)
        this.#compare(answers, `binding: ${fault}`, binding)
      } else {
        const { policy, faults } = breakPolicy(draw, sound)
        const answers = await this.#servers.send('POST', `${ADMISSION}/${PLURAL[kind]}?dryRun=All`, policy)
        this.#compare(answers, `${kind}: ${faults.join(' & ')}`, policy)
      }
    }
  }

  /** A policy of the kind that came after the others is heeded, and after that another one. */
  async #settled(kind: PolicyKind, namespace: string): Promise<void> {
    for (const sentinel of [`${namespace}-s1`, `${namespace}-s2`]) {
      await this.#servers.send('POST', `${ADMISSION}/${PLURAL[kind]}`, sentinelPolicy(kind, sentinel))
      await this.#servers.send('POST', bindingsOf(kind), {
        metadata: { name: sentinel },
        spec: {
          policyName: sentinel,
          ...(kind === 'ValidatingAdmissionPolicy' && { validationActions: ['Warn'] }),
        },
      })
      const body = { metadata: { name: sentinel } }
      const isHeeded = ({ body: made, warnings }: Answer): boolean =>
        warnings.join().includes(sentinel) || JSON.stringify(made).includes('"sentinel"')
      await this.#servers.untilSent('POST', '/api/v1/namespaces/default/secrets?dryRun=All', body, isHeeded)
      await this.#servers.send('DELETE', `${bindingsOf(kind)}/${sentinel}`)
      await this.#servers.send('DELETE', `${ADMISSION}/${PLURAL[kind]}/${sentinel}`)
    }
  }

  async #object(draw: Draw, namespace: string, policies: readonly JsonObject[]): Promise<void> {
    const at = `/api/v1/namespaces/${namespace}/configmaps`
    const [method, path, body, type] = draw.of([
      () => ['POST', at, drawMap(draw, draw.of(['aa', 'cb', 'dd']))] as const,
      () => ['POST', at, drawMap(draw, draw.of(['aa', 'cb', 'dd']))] as const,
      () => ['PUT', `${at}/ab`, drawMap(draw, 'ab')] as const,
      () =>
        ['PATCH', `${at}/bb`, { data: { n: draw.of(['1', '7']) } }, 'application/merge-patch+json'] as const,
      () => ['PATCH', `${at}/ac`, drawMap(draw, 'ac'), 'application/apply-patch+yaml'] as const,
      () => ['DELETE', `${at}/${draw.of(['ab', 'bb'])}`, undefined] as const,
      () =>
        [
          'PUT',
          `/apis/apps/v1/namespaces/${namespace}/deployments/ab/scale`,
          { metadata: { name: 'ab' }, spec: { replicas: draw.of([2, 5]) } },
        ] as const,
      () =>
        [
          'POST',
          `/apis/apps/v1/namespaces/${namespace}/deployments`,
          DEPLOYMENT('bb', draw.of([1, 4])),
        ] as const,
      () => {
        const version = draw.of(['v1', 'v2'])
        return [
          'POST',
          `/apis/autoscaling/${version}/namespaces/${namespace}/horizontalpodautoscalers`,
          SCALER('ab', version),
        ] as const
      },
    ])()
    const query = `?dryRun=All&fieldManager=${draw.of(['one', 'two'])}`
    const answers = await this.#servers.send(method, path + query, body, type)
    this.#compare(answers, `${method} ${path} ${JSON.stringify(body ?? null)}`, policies)
  }

  /** Whether both took it. */
  #compare({ theirs, ours }: Answers, what: string, about: JsonObject | readonly JsonObject[]): boolean {
    this.requests += 1
    const found = differences(settled(theirs), settled(ours), true)
    if (found.length > 0) {
      this.differing += 1
      console.log(`${what} → ${theirs.status} ${ours.status}`)
      if (options.verbose) console.log(`    ${JSON.stringify(about)}`)
      for (const line of found.slice(0, SHOWN)) console.log(`    ${line}`)
    }
    return theirs.status < 300 && ours.status < 300
  }
}

/** Warns of the one object of that name, or gives it a label; it is in no namespace that policies are drawn for. */
function sentinelPolicy(kind: PolicyKind, name: string): JsonObject {
  const rules = [{ apiGroups: [''], apiVersions: ['v1'], resources: ['secrets'], operations: ['CREATE'] }]
  const isOther = `request.name != '${name}'`
  const label = "Object{metadata: Object.metadata{labels: {'sentinel': 'yes'}}}"
  return {
    metadata: { name },
    spec: {
      matchConstraints: { resourceRules: rules },
      ...(kind === 'ValidatingAdmissionPolicy'
        ? { validations: [{ expression: isOther }] }
        : {
            matchConditions: [{ name: 'named', expression: `!(${isOther})` }],
            reinvocationPolicy: 'Never',
            mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression: label } }],
          }),
    },
  }
}

/** Warnings of several expressions in one order. */
function settled(answer: Answer): Answer {
  const warnings = answer.warnings.flatMap((text) => text.replace(/^299 - /, '').split(', 299 - ')).sort()
  return inOrder(answer, warnings)
}

async function main(): Promise<void> {
  const { seed } = options
  const servers = new Servers(options)
  const run = new Run(servers)
  const id = Date.now().toString(36)
  await run.anchor(id)
  for (let i = 0; i < Number(options.rounds); i++)
    await run.round(drawing(Number(seed) * 1000 + i), `p${i}-${id}`)
  servers.close()
  console.log(`${run.requests} requests, ${run.differing} differ`)
  process.exitCode = run.differing ? 1 : 0
}

await main()
