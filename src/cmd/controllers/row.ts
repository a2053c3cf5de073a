// What the table of controllers tells of each. Follows ControllerDescriptor of
// k8s.io/kubernetes/cmd/kube-controller-manager/app.
import type { Controller, ControllerContext } from '../../client/controller.ts'
import type { ControllerSettings } from './settings.ts'

export interface ControllerRow {
  /** Upstream's name, as `--controllers` takes it. */
  readonly name: string
  /** Its name in older command lines. */
  readonly alias?: string
  /** The service account in kube-system whose roles it has; absent: it acts as the manager itself. */
  readonly user?: string
  /** Runs only where `--controllers` names it. */
  readonly offByDefault?: true
  /** Undefined where the settings lack what it needs, as upstream's is skipped then. */
  make(context: ControllerContext, settings: ControllerSettings): Promise<Controller | undefined>
}
