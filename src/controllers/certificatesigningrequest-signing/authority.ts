// A CA whose files may change while it signs.
// Follows k8s.io/kubernetes/pkg/controller/certificates/signer/ca_provider.go.
import { type Authority, readAuthority } from '../../pki/signing.ts'

/** PEM. Reading either may throw. */
export interface AuthorityTexts {
  readonly cert: string
  readonly key: string
}

export class CurrentAuthority {
  readonly #source: AuthorityTexts
  #texts: AuthorityTexts
  #authority: Authority

  /** Throws an Error for texts that are no pair. */
  constructor(source: AuthorityTexts) {
    this.#source = source
    this.#texts = { cert: source.cert, key: source.key }
    this.#authority = readAuthority(this.#texts)
  }

  /** The CA as its texts are now; as it was while they cannot be read, or are no pair: then `failed` is told why. */
  now(failed: (error: unknown) => void): Authority {
    try {
      const { cert, key } = this.#source
      if (cert === this.#texts.cert && key === this.#texts.key) return this.#authority
      this.#authority = readAuthority({ cert, key })
      this.#texts = { cert, key }
    } catch (error) {
      failed(error)
    }
    return this.#authority
  }
}
