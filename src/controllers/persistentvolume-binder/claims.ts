// What is written about claims: their volume, their phase, who is to make a volume for them.
// Follows syncClaim, bind and provisionClaim of k8s.io/kubernetes/pkg/controller/volume/persistentvolume/pv_controller.go.
import type { PersistentVolume, PersistentVolumeClaim } from '../../client/kinds/core.v1.gen.ts'
import { PERSISTENT_VOLUME_CLAIMS } from '../../client/resources.ts'
import { classOfClaim, migratedDriver } from '../../client/volumes.ts'
import { boundClaim, claimStatus, givenVolume, migratedClaim, withProvisioner } from './changes.ts'
import { claimStep, type ClaimView, type Told } from './steps.ts'
import type { BinderParts, VolumeWork } from './volumes.ts'

const IN_TREE = 'kubernetes.io/'
/** Types of volumes that upstream knows, and of which it cannot make any. */
const NOT_MADE: ReadonlySet<string> = new Set(
  ['fc', 'host-path', 'iscsi', 'local-volume', 'nfs'].map((name) => `${IN_TREE}${name}`),
)

export class ClaimWork {
  readonly #parts: BinderParts
  readonly #view: ClaimView
  readonly #volumes: VolumeWork

  constructor(parts: BinderParts, view: ClaimView, volumes: VolumeWork) {
    this.#parts = parts
    this.#view = view
    this.#volumes = volumes
  }

  async reconcile(key: string): Promise<void> {
    const known = this.#parts.claims.get(key)
    if (!known) return
    const claim = await this.#update(migratedClaim(known), known)
    const step = claimStep(claim, this.#view)
    switch (step.do) {
      case 'bind':
        return this.#bind(claim, step.volume)
      case 'pending':
        if (step.tell) this.#tell(claim, step.tell)
        await this.#setPhase(claim, 'Pending')
        return
      case 'lost':
        if (claim.status.phase !== 'Lost') this.#tell(await this.#setPhase(claim, 'Lost'), step.tell)
        return
      case 'classify':
        await this.#update({ ...claim, spec: { ...claim.spec, storageClassName: step.className } }, claim)
        return
      case 'provision':
        return this.#provision(claim)
      case 'fail':
        this.#tell(claim, step.tell)
        throw new Error(step.error)
    }
  }

  async #bind(claim: PersistentVolumeClaim, found: PersistentVolume): Promise<void> {
    const given = await this.#volumes.update(givenVolume(found, claim), found)
    const volume = await this.#volumes.setPhase(given, 'Bound')
    const bound = await this.#update(boundClaim(claim, volume), claim)
    await this.#setPhase(bound, 'Bound', volume)
  }

  async #update(
    changed: PersistentVolumeClaim | undefined,
    claim: PersistentVolumeClaim,
  ): Promise<PersistentVolumeClaim> {
    if (!changed) return claim
    return this.#parts.claims.note(await this.#parts.context.api.update(PERSISTENT_VOLUME_CLAIMS, changed))
  }

  async #setPhase(
    claim: PersistentVolumeClaim,
    phase: string,
    volume?: PersistentVolume,
  ): Promise<PersistentVolumeClaim> {
    const status = claimStatus(claim, phase, volume)
    if (!status) return claim
    const { api } = this.#parts.context
    return this.#parts.claims.note(await api.updateStatus(PERSISTENT_VOLUME_CLAIMS, { ...claim, status }))
  }

  /** Says which provisioner is to make a volume; it works by itself. */
  async #provision(claim: PersistentVolumeClaim): Promise<void> {
    const className = classOfClaim(claim)
    const provisioner = this.#view.class(className)?.provisioner
    const why = refusal(className, provisioner)
    if (provisioner === undefined || why !== undefined)
      return this.#tell(claim, { type: 'Warning', reason: 'ProvisioningFailed', message: why ?? '' })
    const name = migratedDriver(provisioner) ?? provisioner
    const changed = await this.#update(withProvisioner(claim, name), claim)
    const message =
      `Waiting for a volume to be created either by the external provisioner '${name}' ` +
      'or manually by the system administrator. If volume creation is delayed, please verify that ' +
      'the provisioner is running and correctly registered.'
    this.#tell(changed, { type: 'Normal', reason: 'ExternalProvisioning', message })
  }

  #tell(claim: PersistentVolumeClaim, { type, reason, message }: Told): void {
    this.#parts.recorder.event({ resource: PERSISTENT_VOLUME_CLAIMS, object: claim }, type, reason, message)
  }
}

/** Why nobody makes volumes of the class; undefined where somebody does. */
function refusal(className: string, provisioner: string | undefined): string | undefined {
  if (provisioner === undefined) return `storageclass.storage.k8s.io ${JSON.stringify(className)} not found`
  if (!provisioner.startsWith(IN_TREE) || migratedDriver(provisioner) !== undefined) return undefined
  if (NOT_MADE.has(provisioner)) return 'no provisionable volume plugin matched'
  return `no volume plugin matched name: ${provisioner}`
}
