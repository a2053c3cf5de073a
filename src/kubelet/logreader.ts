// Reads the log of one run of a simulated container: all that is there, and on request what comes until the run ends.
// Follows k8s.io/kubernetes/pkg/kubelet/kuberuntime/logs (ReadLogs).
import type { Clock } from '../client/clock.ts'
import type { Pod } from '../client/kinds/core.v1.gen.ts'
import {
  chosen,
  linesOf,
  type LogLine,
  type LogOptions,
  nextLineAt,
  printed,
  type Run,
  runOf,
} from './logs.ts'
import type { ContainerRecord } from './record.ts'

export interface LogSource {
  readonly pod: Pod
  readonly one: ContainerRecord
  readonly run: Run
  readonly clock: Clock
}

/** Where a log goes that is followed. */
export interface LogSink {
  write(text: string): void
  end(): void
}

/** Calls back after each change of the container, and when its pod is gone. The function that is returned ends that. */
export type Watch = (changed: (isGone: boolean) => void) => () => void

export class LogReader {
  readonly #source: LogSource
  readonly #options: LogOptions
  readonly #watch: Watch
  #left: number
  /** Lines until this moment were given. */
  #until = -Infinity
  #gaveEnd = false

  constructor(source: LogSource, options: LogOptions, watch: Watch) {
    this.#source = source
    this.#options = options
    this.#watch = watch
    this.#left = options.limitBytes
  }

  get follows(): boolean {
    return this.#options.follow
  }

  /** All that is there. */
  now(): string {
    return this.#cut(chosen(this.#fresh(), this.#options))
  }

  /** Writes what is there, then what comes; ends with the run. The function that is returned ends it before. */
  follow(sink: LogSink): () => void {
    let cancel: () => void = () => undefined
    let unwatch: () => void = () => undefined
    const stop = (): void => {
      cancel()
      unwatch()
    }
    const give = (text: string, isGone: boolean): void => {
      cancel()
      if (text !== '') sink.write(text)
      if (isGone || this.#gaveEnd || this.#left <= 0) {
        stop()
        return sink.end()
      }
      const { pod, one, clock } = this.#source
      const at = nextLineAt(pod, one, this.#run(), clock.now())
      if (at < Infinity) cancel = clock.after(at - clock.now(), () => give(this.#cut(this.#fresh()), false))
    }
    unwatch = this.#watch((isGone) => give(this.#cut(this.#fresh()), isGone))
    give(this.now(), false)
    return stop
  }

  /** The run as it is by now: it may have ended, and another begun. */
  #run(): Run {
    const { pod, one, run } = this.#source
    if (run.ended) return run
    if (one.restarts + 1 === run.number) return runOf(pod, one, false)
    return one.last && one.restarts === run.number ? { ...run, ended: one.last } : run
  }

  /** What was not given yet. */
  #fresh(): LogLine[] {
    const { pod, one, clock } = this.#source
    const run = this.#run()
    const lines = linesOf(pod, one, run, clock.now())
    const isEnd = (index: number): boolean => run.ended !== undefined && index === lines.length - 1
    const fresh = lines.filter(({ at }, index) => (isEnd(index) ? !this.#gaveEnd : at > this.#until))
    this.#until = Math.max(this.#until, ...fresh.slice(-1).map(({ at }) => at))
    this.#gaveEnd = run.ended !== undefined
    return fresh
  }

  #cut(lines: readonly LogLine[]): string {
    const text = lines.map((line) => printed(line, this.#options)).join('')
    const bytes = Buffer.from(text)
    const cut = bytes.length <= this.#left ? text : bytes.subarray(0, Math.max(0, this.#left)).toString()
    this.#left -= bytes.length
    return cut
  }
}
