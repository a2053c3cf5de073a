// A port of a balancer on this machine, whatever its protocol.
import type { Clock } from '../../client/clock.ts'
import type { Backend } from './backends.ts'

export interface PortParts {
  readonly host: string
  readonly port: number
  readonly clock: Clock
  /** Asked for each connection: they come and go. */
  backends(): readonly Backend[]
  affinityMs(): number | undefined
  /** Whether clients of this address are let in. */
  allows(address: string): boolean
}

/** One that is open. */
export interface Port {
  stop(): Promise<void>
}
