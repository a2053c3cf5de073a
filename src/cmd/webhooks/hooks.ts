// The caller of webhooks, loaded when the first of them is asked.
import type { Lister } from '../../machinery/lister.ts'
import type { HookCaller } from '../../machinery/webhook.ts'
import type { HookClients } from './caller.ts'

export interface LazyHookCaller extends HookCaller {
  close(): void
}

/** Asks webhooks of admission and of conversion, as whom `clients` says; services are found by the lister. */
export function lazyHookCaller(lister: Lister, clients?: HookClients): LazyHookCaller {
  const load = async () => {
    const [{ HttpsHookCaller }, { serviceResolver }] = await Promise.all([
      import('./caller.ts'),
      import('../extension/serviceresolver.ts'),
    ])
    return new HttpsHookCaller(serviceResolver(lister), clients)
  }
  let loaded: ReturnType<typeof load> | undefined
  return {
    async call(target, body, timeoutSeconds) {
      const caller = await (loaded ??= load())
      return caller.call(target, body, timeoutSeconds)
    },
    close: () => void loaded?.then((caller) => caller.close()),
  }
}
