// Signing and checking by the package jose, which comes in with this file: at the first token that needs it.
// Follows RFC 7515; upstream uses gopkg.in/go-jose.
import type { KeyObject } from 'node:crypto'
import { CompactSign, compactVerify } from 'jose'

/** The token in its compact form. */
export const signJws = (
  payload: Buffer,
  header: { readonly alg: string; readonly kid: string },
  key: KeyObject,
): Promise<string> => new CompactSign(payload).setProtectedHeader({ ...header }).sign(key)

/** What was signed; rejects where the key did not, or by another algorithm than these. */
export async function verifyJws(
  token: string,
  key: KeyObject,
  algorithms: readonly string[],
): Promise<Buffer> {
  const { payload } = await compactVerify(token, key, { algorithms: [...algorithms] })
  return Buffer.from(payload)
}
