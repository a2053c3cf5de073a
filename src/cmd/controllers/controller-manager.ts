// `dinghy controller-manager`: the controllers in a process of their own, against any API server, under upstream's flags.
// Follows k8s.io/kubernetes/cmd/kube-controller-manager/app/controllermanager.go.
import { CONTROLLER_FLAGS, settingsOf } from './flags.ts'
import { CONTROLLER_MANAGER } from './part.ts'
import { chosenControllers, missingControllers } from './controllers.ts'
import { commandLine } from '../flags.ts'
import { managerLog, runManager } from './process.ts'

export async function controllerManager(argv: readonly string[]): Promise<void> {
  const flags = commandLine(
    'dinghy controller-manager',
    'Runs the controllers alone.',
    CONTROLLER_FLAGS,
    argv,
  )
  if (!flags) return
  const log = managerLog(flags)
  const rows = chosenControllers(flags.controllers ?? ['*'])
  const missing = missingControllers(flags.controllers ?? [])
  if (missing.length > 0) log.warn({ controllers: missing }, 'these controllers do not exist here yet')
  await runManager(flags, { name: CONTROLLER_MANAGER, rows, settings: settingsOf(flags) }, log)
}
