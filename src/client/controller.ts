// The shape of a controller: sources put keys into a queue, workers reconcile one key at a time, failures come again.
// Follows the loops of k8s.io/kubernetes/pkg/controller and sigs.k8s.io/controller-runtime/pkg/internal/controller.
import { type Api, isAlreadyExists, isConflict, isNotFound, isTerminating } from './api.ts'
import type { Clock } from './clock.ts'
import type { Informers } from './informer.ts'
import { type QueueMetrics, type RetryDelays, WorkQueue } from './queue.ts'
import type { EventRecorder } from './recorder.ts'

export interface ControllerLog {
  error(details: object, message: string): void
  warn(details: object, message: string): void
  info(details: object, message: string): void
  debug(details: object, message: string): void
}

/** What a controller is given: its own user's API, everybody's informers, time, the log. */
export interface ControllerContext {
  readonly api: Api
  readonly informers: Informers
  readonly clock: Clock
  readonly log: ControllerLog
  readonly recorder: EventRecorder
  /** Metrics of a queue of this name. */
  queueMetrics?(name: string): QueueMetrics
}

/** Made, with its handlers on the informers, but not yet at work. */
export interface Controller {
  /** Upstream's name: "deployment-controller". */
  readonly name: string
  /** Works until the signal aborts and its workers are done. */
  run(signal: AbortSignal): Promise<void>
}

/**
 * Somebody else wrote first, made it, or took it away, which the copy does not tell yet: the change that this makes known
 * leads to the next try anyway, and nobody need hear of it.
 */
export const isBehind = (error: unknown): boolean =>
  isConflict(error) || isAlreadyExists(error) || isNotFound(error)

/** Rejects a reconcile that is only too early: it comes again, and nobody is warned. */
export class TryLater extends Error {}

export interface WorkerOptions {
  readonly name: string
  readonly queue: WorkQueue
  /** How many keys at a time. */
  readonly workers: number
  /**
   * Makes what the key names as it should be, from whatever state: called again after any change and after any failure.
   * Rejections come again, later and later.
   */
  reconcile(key: string, signal: AbortSignal): Promise<void>
  readonly log: ControllerLog
}

/** A queue for the controller of this name. */
export const queueOf = (context: ControllerContext, name: string, delays?: RetryDelays): WorkQueue =>
  new WorkQueue(context.clock, context.queueMetrics?.(name), delays)

/** Works on the queue until the signal aborts. */
export async function work(options: WorkerOptions, signal: AbortSignal): Promise<void> {
  const stop = (): void => options.queue.shutDown()
  if (signal.aborted) stop()
  else signal.addEventListener('abort', stop, { once: true })
  await Promise.all(Array.from({ length: options.workers }, () => workOne(options, signal)))
}

async function workOne({ name, queue, reconcile, log }: WorkerOptions, signal: AbortSignal): Promise<void> {
  for (let key = await queue.next(); key !== undefined; key = await queue.next()) {
    try {
      await reconcile(key, signal)
      queue.forget(key)
    } catch (error) {
      if (signal.aborted) return
      const isExpected = isBehind(error) || isTerminating(error) || error instanceof TryLater
      log[isExpected ? 'debug' : 'warn'](
        { controller: name, item: key, error: String(error) },
        'could not reconcile',
      )
      queue.addRateLimited(key)
    } finally {
      queue.done(key)
    }
  }
}
