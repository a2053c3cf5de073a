// What the requests of one flow schema share, and a request of it with all that is told of it.
import type { RequestInfo } from '../machinery/attributes.ts'
import type { UserInfo } from '../machinery/user.ts'
import type { FlowMark, Pass } from './gate.ts'
import { Hands } from './hand.ts'
import type { LevelState } from './levels.ts'
import type { FlowMeter } from './meters.ts'
import { QueuedRequest } from './queue.ts'
import type { WorkEstimate } from './work.ts'
import type { SchemaSpec } from './spec.ts'

const NO_HAND: readonly number[] = []
const ONE_QUEUE: readonly number[] = [0]

/** A schema, and the level that it leads to. */
export class Flow {
  readonly schema: SchemaSpec
  readonly level: LevelState
  readonly mark: FlowMark
  readonly meter: FlowMeter
  readonly #hands: Hands | undefined

  constructor(schema: SchemaSpec, level: LevelState, meter: FlowMeter) {
    this.schema = schema
    this.level = level
    this.meter = meter
    this.mark = { schemaUid: schema.uid, levelUid: level.spec.uid }
    const { queues, handSize } = level.spec.queuing
    this.#hands = queues > 1 ? new Hands(schema.name, queues, handSize) : undefined
  }

  /** What tells this request's flow from others of the schema; "" where all wait together. */
  distinguish({ namespace }: RequestInfo, user: UserInfo): string {
    if (!this.#hands) return ''
    const { distinguisher } = this.schema
    return distinguisher === 'ByUser' ? user.name : distinguisher === 'ByNamespace' ? namespace : ''
  }

  /** The queues in which the flow may wait. */
  hand(distinguisher: string): readonly number[] {
    if (this.#hands) return this.#hands.of(distinguisher)
    return this.level.spec.queuing.queues === 1 ? ONE_QUEUE : NO_HAND
  }
}

export interface Asking {
  readonly info: RequestInfo
  readonly user: UserInfo
}

export class FlowPass extends QueuedRequest implements Pass {
  readonly flow: Flow
  readonly info: RequestInfo
  readonly user: UserInfo
  retryAfter = 0
  readonly #left: (pass: FlowPass) => void

  constructor(flow: Flow, { info, user }: Asking, estimate: WorkEstimate, left: (pass: FlowPass) => void) {
    super(flow.meter, flow.distinguish(info, user), estimate)
    this.flow = flow
    this.info = info
    this.user = user
    this.#left = left
  }

  get mark(): FlowMark {
    return this.flow.mark
  }

  leave(): void {
    this.#left(this)
  }
}
