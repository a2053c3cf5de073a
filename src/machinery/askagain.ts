// Asking a webhook again where its failure may pass.
// Follows WithExponentialBackoff in k8s.io/apiserver/pkg/util/webhook.

/** A webhook that did not answer as it should; `mayPass` where it may do better when it is asked again. */
export class HookFailure extends Error {
  readonly mayPass: boolean
  constructor(message: string, mayPass: boolean) {
    super(message)
    this.name = 'HookFailure'
    this.mayPass = mayPass
  }
}

/** How often, and how long between: as upstream's --*-retry-backoff defaults. */
export interface Backoff {
  readonly attempts: number
  readonly firstWaitMs: number
  readonly factor: number
  /** Share of each wait that is added by lot, so that many servers do not ask again at the same moment. */
  readonly jitter: number
}

export const WEBHOOK_BACKOFF: Backoff = { attempts: 5, firstWaitMs: 500, factor: 1.5, jitter: 0.2 }

/** Resolves with the first answer; rejects with the last failure, or at once with one that will not pass. */
export async function askAgain<T>(
  ask: () => Promise<T>,
  wait: (ms: number) => Promise<void>,
  backoff: Backoff = WEBHOOK_BACKOFF,
): Promise<T> {
  let pause = backoff.firstWaitMs
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof HookFailure) || !error.mayPass || attempt >= backoff.attempts) throw error
    }
    await wait(pause * (1 + Math.random() * backoff.jitter))
    pause *= backoff.factor
  }
}
