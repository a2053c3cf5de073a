// Scales what autoscalers name, in rounds: each is looked at once in a period, whatever happens in between.
// Follows k8s.io/kubernetes/pkg/controller/podautoscaler/horizontal.go.
import { isConflict } from '../../client/api.ts'
import { type Controller, type ControllerContext, queueOf, work } from '../../client/controller.ts'
import type { HorizontalPodAutoscaler } from '../../client/kinds/autoscaling.v2.gen.ts'
import { keyOf } from '../../client/resource.ts'
import { AUTOSCALERS, PODS } from '../../client/resources.ts'
import { type AutoscalerOptions, Rounds } from './round.ts'

const NAME = 'horizontal-pod-autoscaler-controller'

export function autoscalerController(
  context: ControllerContext,
  { workers, ...options }: AutoscalerOptions & { readonly workers: number },
): Controller {
  const { informers, log } = context
  const queue = queueOf(context, 'horizontalpodautoscaler')
  const autoscalers = informers.of(AUTOSCALERS)
  informers.of(PODS)
  const rounds = new Rounds(context, options)
  const later = (hpa: HorizontalPodAutoscaler): void => queue.addAfter(keyOf(hpa), options.syncMs)
  autoscalers.handle({ added: later, updated: later, deleted: (hpa) => queue.add(keyOf(hpa)) })
  const reconcile = async (key: string, signal: AbortSignal): Promise<void> => {
    const hpa = autoscalers.reader.get(key)
    if (!hpa) return rounds.forget(key)
    try {
      await rounds.run(hpa, signal)
    } catch (error) {
      // The next round is the next try; the status says what was wrong.
      const details = { controller: NAME, item: key, error: String(error) }
      if (!signal.aborted) log[isConflict(error) ? 'debug' : 'warn'](details, 'a round was in vain')
    }
    later(hpa)
  }
  return { name: NAME, run: (signal) => work({ name: NAME, queue, workers, reconcile, log }, signal) }
}
