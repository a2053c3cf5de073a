// Requests of every kind of key, as openssl writes them, signed by CAs of every kind of key.
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { commonNameOf, profileFault } from './profiles.ts'
import { parseRequest, SUBJECT, valuesOf } from './request.ts'
import { readAuthority, signRequest } from './signing.ts'
import { keyUsagesOf } from './usages.ts'

const dir = mkdtempSync(join(tmpdir(), 'csr-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))
const openssl = (...args: string[]): string =>
  execFileSync('openssl', args, { cwd: dir, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })

const KEYS = {
  rsa: ['rsa:2048'],
  p256: ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  p384: ['ec', '-pkeyopt', 'ec_paramgen_curve:P-384'],
  ed25519: ['ed25519'],
} as const
type Key = keyof typeof KEYS
const NODE = '/O=system:nodes/CN=system:node:a'
const CLIENT_USAGES = ['digital signature', 'client auth']

function requestOf(key: Key, subject = NODE, ...more: string[]): string {
  return openssl(
    'req',
    '-new',
    '-nodes',
    '-newkey',
    ...KEYS[key],
    '-keyout',
    'r.key',
    '-subj',
    subject,
    ...more,
  )
}

function authorityOf(key: Key): { cert: string; key: string } {
  const out = ['-keyout', 'ca.key', '-out', 'ca.crt']
  openssl(
    'req',
    '-x509',
    '-nodes',
    '-newkey',
    ...KEYS[key],
    '-subj',
    '/O=its/CN=ca',
    '-days',
    '3',
    '-addext',
    'keyUsage=critical,keyCertSign',
    ...out,
  )
  return { cert: readFileSync(join(dir, 'ca.crt'), 'utf8'), key: readFileSync(join(dir, 'ca.key'), 'utf8') }
}

const terms = (usages: readonly string[] = CLIENT_USAGES) => ({
  usages,
  notBefore: new Date(Date.now() - 60_000),
  notAfter: new Date(Date.now() + 3_600_000),
})

describe('signed', () => {
  it.each(Object.keys(KEYS) as Key[])('by a CA of %s: keys of every kind', async (key) => {
    const authority = readAuthority(authorityOf(key))
    for (const asked of Object.keys(KEYS) as Key[]) {
      const pem = requestOf(
        asked,
        '/O=one/O=two/CN=jo*',
        '-addext',
        'subjectAltName=DNS:a.b,IP:10.0.0.1,IP:fd00::1',
      )
      const cert = await signRequest(parseRequest(pem), authority, terms())
      writeFileSync(join(dir, 'leaf.crt'), cert)
      expect(openssl('verify', '-purpose', 'sslclient', '-CAfile', 'ca.crt', 'leaf.crt')).toBe(
        'leaf.crt: OK\n',
      )
      const read = new X509Certificate(cert)
      expect(read.toLegacyObject().subject).toMatchObject({ CN: 'jo*', O: ['one', 'two'] })
      expect(read.subjectAltName).toBe('DNS:a.b, IP Address:10.0.0.1, IP Address:FD00:0:0:0:0:0:0:1')
      expect(read.ca).toBe(false)
      const request = openssl('req', '-in', writeRequest(pem), '-noout', '-pubkey')
      expect(read.publicKey.export({ type: 'spki', format: 'pem' })).toBe(request)
    }
  })

  it('with the usages that are asked for, and with nothing else of the request', async () => {
    const authority = readAuthority(authorityOf('p256'))
    const wants = ['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=keyCertSign']
    const pem = requestOf('p256', '/CN=a/UID=u/emailAddress=a@b.c', ...wants)
    const cert = await signRequest(parseRequest(pem), authority, terms(['client auth', 'key encipherment']))
    writeFileSync(join(dir, 'leaf.crt'), cert)
    const text = openssl('x509', '-in', 'leaf.crt', '-noout', '-text')
    expect(text).toMatch(/Subject: CN = a\n/)
    expect(text).toMatch(/CA:FALSE/)
    expect(text).toMatch(/Key Usage: critical\n\s+Key Encipherment\n/)
    expect(text).toMatch(/Extended Key Usage: \n\s+TLS Web Client Authentication\n/)
  })

  it('only where the sender has the key', async () => {
    const authority = readAuthority(authorityOf('p256'))
    const der = Buffer.from(requestOf('p256').replace(/-----[^-]+-----/g, ''), 'base64')
    // A letter of the common name.
    const at = der.indexOf('system:node:a')
    der[at + 12] = 'b'.charCodeAt(0)
    const forged = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`
    expect(commonNameOf(parseRequest(forged))).toBe('system:node:b')
    await expect(signRequest(parseRequest(forged), authority, terms())).rejects.toThrow(/signature/)
  })

  it('where the request is signed with RSA-PSS', () => {
    const pss = ['-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:digest', '-sha384']
    expect(parseRequest(requestOf('rsa', NODE, ...pss)).signatureFault()).toBeUndefined()
  })
})

function writeRequest(pem: string): string {
  writeFileSync(join(dir, 'r.csr'), pem)
  return 'r.csr'
}

it('reads no request out of damaged bytes, and fails with an error always', () => {
  const body = requestOf('p256', NODE, '-addext', 'subjectAltName=DNS:a').replace(/-----[^-]+-----/g, '')
  const der = Buffer.from(body, 'base64')
  const pemOf = (bytes: Buffer) =>
    `-----BEGIN CERTIFICATE REQUEST-----\n${bytes.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`
  for (let length = 0; length < der.length; length++) {
    expect(() => parseRequest(pemOf(der.subarray(0, length)))).toThrow()
  }
  for (let at = 0; at < der.length; at++) {
    for (const bit of [1, 0x20, 0x80]) {
      const damaged = Buffer.from(der)
      damaged[at] = (damaged[at] as number) ^ bit
      let isGood = false
      try {
        isGood = parseRequest(pemOf(damaged)).signatureFault() === undefined
      } catch (error) {
        expect(error).toBeInstanceOf(Error)
      }
      // What is not signed: the tag of the algorithm's parameters and the like.
      if (isGood) expect(at).toBeGreaterThan(der.length - 90)
    }
  }
  const { privateKey } = generateKeyPairSync('ed25519')
  expect(() => parseRequest(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())).toThrow(
    'PEM block type must be CERTIFICATE REQUEST',
  )
})

describe('profiles', () => {
  const SERVING = ['digital signature', 'server auth']
  const names = (value: string) => ['-addext', `subjectAltName=${value}`]
  const nodesOnly = 'subject organization is not system:nodes'
  const noNode = 'subject common name does not begin with system:node:'
  const CASES: [string, string, string, string[], string[], string | undefined][] = [
    ['a kubelet', 'kube-apiserver-client-kubelet', NODE, CLIENT_USAGES, [], undefined],
    [
      'with RSA',
      'kube-apiserver-client-kubelet',
      NODE,
      [...CLIENT_USAGES, 'key encipherment'],
      [],
      undefined,
    ],
    ['others', 'kube-apiserver-client-kubelet', '/O=a/CN=system:node:a', CLIENT_USAGES, [], nodesOnly],
    ['two', 'kube-apiserver-client-kubelet', `${NODE}/O=a`, CLIENT_USAGES, [], nodesOnly],
    ['no node', 'kube-apiserver-client-kubelet', '/O=system:nodes/CN=a', CLIENT_USAGES, [], noNode],
    [
      'no usage',
      'kube-apiserver-client-kubelet',
      NODE,
      ['client auth'],
      [],
      'usages did not match [client auth digital signature key encipherment]',
    ],
    [
      'a name',
      'kube-apiserver-client-kubelet',
      NODE,
      CLIENT_USAGES,
      names('DNS:a'),
      'DNS subjectAltNames are not allowed',
    ],
    [
      'an address',
      'kube-apiserver-client-kubelet',
      NODE,
      CLIENT_USAGES,
      names('IP:10.0.0.1'),
      'IP subjectAltNames are not allowed',
    ],
    [
      'an email',
      'kube-apiserver-client-kubelet',
      NODE,
      CLIENT_USAGES,
      names('email:a@b'),
      'Email subjectAltNames are not allowed',
    ],
    [
      'a URI',
      'kube-apiserver-client-kubelet',
      NODE,
      CLIENT_USAGES,
      names('URI:https://a'),
      'URI subjectAltNames are not allowed',
    ],
    ['serving', 'kubelet-serving', NODE, SERVING, names('DNS:a'), undefined],
    ['no names', 'kubelet-serving', NODE, SERVING, [], 'DNS or IP subjectAltName is required'],
    [
      'wrong usages',
      'kubelet-serving',
      NODE,
      CLIENT_USAGES,
      names('DNS:a'),
      'usages did not match [digital signature key encipherment server auth]',
    ],
    ['anybody', 'kube-apiserver-client', '/CN=jo', ['client auth'], [], undefined],
    [
      'a server',
      'kube-apiserver-client',
      '/CN=jo',
      ['client auth', 'server auth'],
      [],
      'invalid usage for client certificate: server auth',
    ],
    [
      'no client',
      'kube-apiserver-client',
      '/CN=jo',
      ['digital signature'],
      [],
      'missing required usage for client certificate: client auth',
    ],
    ['whatever', 'legacy-unknown', '/CN=jo', ['cert sign'], [], undefined],
  ]
  it.each(CASES)('%s for %s', (...[, signer, subject, usages, more, fault]) => {
    expect(profileFault(signer, parseRequest(requestOf('p256', subject, ...more)), usages)).toBe(fault)
  })

  it('the last common name counts', () => {
    const request = parseRequest(requestOf('p256', '/CN=a/CN=b'))
    expect(commonNameOf(request)).toBe('b')
    expect(valuesOf(request, SUBJECT.commonName)).toEqual(['a', 'b'])
  })
})

it.each([
  [[], undefined, []],
  [['signing'], [7, 0x80], []],
  [['cert sign', 'encipher only'], [0, 0x05], []],
  [['decipher only', 'digital signature'], [7, 0x80, 0x80], []],
  [['client auth', 'server auth', 'client auth'], undefined, ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']],
  [['s/mime', 'email protection'], undefined, ['1.3.6.1.5.5.7.3.4']],
] as [string[], number[] | undefined, string[]][])('usages %j', (words, bits, extended) => {
  expect(keyUsagesOf(words)).toEqual({ bits: bits && Buffer.from(bits), extended })
})

it('knows no other usages', () => {
  expect(() => keyUsagesOf(['client auth', 'toString'])).toThrow('unrecognized usage values: ["toString"]')
})
