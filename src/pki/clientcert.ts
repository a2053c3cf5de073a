// A client certificate for a user, signed by the CA that a folder of ours keeps.
// Follows kubeadm's `kubeconfig user` (cmd/kubeadm/app/phases/kubeconfig).
import { createPublicKey } from 'node:crypto'
import { statSync } from 'node:fs'
import { type KeyPair, makePrivateKey } from './certificate.ts'
import { folderStore, PkiError } from './folder.ts'
import { SUBJECT } from './request.ts'
import { readAuthority, signRequest } from './signing.ts'

export interface ClientOptions {
  /** Of the user, and of the groups that it is in. */
  readonly name: string
  readonly groups: readonly string[]
  readonly days: number
  readonly now: Date
}

const DAY = 24 * 60 * 60 * 1000
/** Clocks of containers and virtual machines may be behind. */
const CLOCK_SKEW = 60 * 60 * 1000

/** Its key is new and nowhere kept. Throws PkiError where `dir` holds no CA, or one that has ended. */
export async function clientCertificate(
  dir: string,
  { name, groups, days, now }: ClientOptions,
): Promise<KeyPair & { readonly caCert: string }> {
  const ca = readCa(dir)
  const authority = readAuthority(ca)
  if (authority.notAfter <= now)
    throw new PkiError(`the CA in ${dir} expired on ${authority.notAfter.toISOString()}`)
  const key = makePrivateKey()
  const wantedEnd = new Date(now.getTime() + days * DAY)
  const subject = [
    ...groups.map((group) => [SUBJECT.organization, group] as const),
    [SUBJECT.commonName, name] as const,
  ]
  const cert = await signRequest(
    {
      subject,
      names: { dns: [], emails: [], addresses: [], uris: [] },
      publicKey: createPublicKey(key),
      // It was made here.
      signatureFault: () => undefined,
    },
    authority,
    {
      usages: ['digital signature', 'client auth'],
      notBefore: new Date(now.getTime() - CLOCK_SKEW),
      notAfter: wantedEnd < authority.notAfter ? wantedEnd : authority.notAfter,
    },
  )
  return { cert, key, caCert: ca.cert }
}

function readCa(dir: string): KeyPair {
  // Asked first: a store makes the folder that it is given.
  const isThere = statSync(dir, { throwIfNoEntry: false })?.isDirectory() === true
  const store = isThere ? folderStore(dir) : undefined
  const [cert, key] = [store?.read('ca.crt'), store?.read('ca.key')]
  if (cert === undefined || key === undefined)
    throw new PkiError(`${dir} holds no CA: start the cluster once, or name its folder with --data-dir`)
  return { cert, key }
}
