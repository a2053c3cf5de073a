// node-forge's ASN.1 part on its own: importing all of node-forge takes 35 ms, this 4.5 ms.
declare module 'node-forge/lib/asn1.js' {
  import type { asn1 } from 'node-forge'
  const writer: typeof asn1
  export { writer as default }
}
