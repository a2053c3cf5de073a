// AlwaysAdmit and AlwaysDeny: for tests of those who write to a server. Follows plugin/pkg/admission/{admit,deny}.
import { forbid } from '../forbid.ts'
import type { AdmissionAttributes, AdmissionPlugin } from '../plugin.ts'

export class AlwaysAdmit implements AdmissionPlugin {
  readonly name = 'AlwaysAdmit'

  handles(): boolean {
    return false
  }
}

export class AlwaysDeny implements AdmissionPlugin {
  readonly name = 'AlwaysDeny'

  handles(): boolean {
    return true
  }

  admit(attributes: AdmissionAttributes): void {
    throw forbid(attributes, 'admission control is denying all modifications')
  }
}
