// `dinghy controller-manager`: the controllers in a process of their own, against any API server, under upstream's flags.
// Follows k8s.io/kubernetes/cmd/kube-controller-manager/app/controllermanager.go.
import { CONTROLLER_FLAGS, settingsOf } from './flags.ts'
import { CONTROLLER_MANAGER } from './part.ts'
import { chosenControllers, missingControllers } from './controllers.ts'
import { commandLine } from '../flags.ts'
import { managerLog, runManager } from './process.ts'
import { vain } from '../parts/serving-flags.ts'

const GARBAGE_COLLECTOR = 'garbage-collector-controller'

export async function controllerManager(argv: readonly string[]): Promise<void> {
  const flags = commandLine(
    'dinghy controller-manager',
    'Runs the controllers alone.',
    CONTROLLER_FLAGS,
    argv,
  )
  if (!flags) return
  const log = managerLog(flags)
  for (const flag of vain(CONTROLLER_FLAGS, flags))
    log.warn({ flag: `--${flag}` }, 'this flag changes nothing')
  const rows = chosenControllers(flags.controllers ?? ['*']).filter(
    ({ name }) => flags['enable-garbage-collector'] || name !== GARBAGE_COLLECTOR,
  )
  const missing = missingControllers(flags.controllers ?? [])
  if (missing.length > 0) log.warn({ controllers: missing }, 'these controllers do not exist here yet')
  await runManager(flags, { name: CONTROLLER_MANAGER, rows, settings: settingsOf(flags) }, log)
}
