// What the operator can mend is told in one line on stderr, with exit code 1: no stack, nothing on stdout.
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bundleProgram, type Program, run, type Server, startServer } from '../process/server.ts'

const base = mkdtempSync(join(tmpdir(), 'dinghy-start-'))
const pki = join(base, 'served', 'pki')
const broken = join(base, 'broken.pem')
const empty = join(base, 'empty')
const tokens = join(base, 'tokens.csv')
let program: Program
let server: Server

beforeAll(async () => {
  program = await bundleProgram()
  server = await startServer(program, ['--data-dir', join(base, 'served')])
  writeFileSync(broken, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')
  writeFileSync(empty, '')
  writeFileSync(tokens, 'only,two\n')
})
afterAll(async () => {
  await server.kill()
  program.remove()
  rmSync(base, { recursive: true, force: true })
})

/** The one line that the program ends with. */
async function refusal(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run(program, args, { env: { HOME: base, KUBECONFIG: '' } }).ended
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(/^dinghy: [^\n]+\n$/)
  return stderr.slice('dinghy: '.length, -1)
}

const up = (...args: readonly string[]): Promise<string> =>
  refusal(
    'up',
    '--kubeconfig',
    join(base, 'kubeconfig'),
    ...(args.includes('--port') ? [] : ['--port', '0']),
    ...args,
  )
const apiserver = (...args: readonly string[]): Promise<string> =>
  refusal('apiserver', '--memory', '--secure-port', '0', '--cert-dir', pki, ...args)

describe('dinghy up', () => {
  it('names a taken port', async () => {
    expect(await up('--memory', '--port', String(server.port))).toContain(
      `port ${server.port} of 127.0.0.1 is taken`,
    )
  })
  it('says who has the data', async () => {
    expect(await up('--data-dir', join(base, 'served'))).toContain(`is in use by process ${server.pid}`)
  })
  it.each<[string[], string]>([
    [['--disable-admission-plugins', 'NoSuch'], 'NoSuch'],
    [['--admission-control-config-file', join(empty, 'x')], join(empty, 'x')],
    [['--authentication-config', join(empty, 'x')], join(empty, 'x')],
    [['--audit-policy-file', join(empty, 'x'), '--audit-log-path', '-'], join(empty, 'x')],
    [['--service-cluster-ip-range', 'nonsense'], 'nonsense'],
  ])('reads %s as `dinghy apiserver` does', async (args, named) => {
    expect(await up('--memory', ...args)).toContain(named)
  })
  it('names a folder that cannot be written', async () => {
    expect(await up('--data-dir', join(empty, 'x'))).toContain(`cannot write to the data folder ${empty}`)
  })
  it('says that no etcd answers', async () => {
    const answer = await up('--data-dir', join(base, 'e'), '--etcd-servers', 'http://127.0.0.1:1')
    expect(answer).toContain('no etcd server answers at http://127.0.0.1:1')
    expect(await up('--data-dir', join(base, 'e'), '--etcd-servers', '')).toContain('names no server')
  })
  it('names the nearest flag', async () => {
    expect(await up('--porrt', '1')).toContain('did you mean --port?')
    expect(await up('--data-dri', 'x')).toContain('did you mean --data-dir?')
    expect(await up('--no-such-thing-at-all')).toContain("unknown option '--no-such-thing-at-all'")
  })
  it('refuses values that are none', async () => {
    expect(await up('--port', 'http')).toContain('a number from 0 to 65535')
    expect(await up('--parts', 'kubelet')).toContain('there is no part "kubelet"')
    expect(await up('--log-level', 'loud')).toContain('Allowed choices are error, warn, info, debug')
    expect(await up('--memory', '--etcd-servers', 'http://127.0.0.1:1')).toContain('exclude each other')
    expect(await up('--memory', 'argument')).toContain('too many arguments')
    expect(await refusal('frobnicate')).toContain('unknown command "frobnicate"')
  })
  it('names an address that is none of ours', async () => {
    expect(await up('--memory', '--bind-address', '192.0.2.1')).toContain(
      '192.0.2.1 is no address of this machine',
    )
    expect(await up('--memory', '--bind-address', 'x.invalid')).toContain(
      'x.invalid is no address of this machine',
    )
  })
  it('names a bad token file', async () => {
    expect(await up('--memory', '--token-auth-file', join(base, 'none'))).toContain('no such file')
    expect(await up('--memory', '--token-auth-file', tokens)).toContain('must have at least 3 columns')
  })
  it('names a kubeconfig that cannot be written', async () => {
    expect(await refusal('up', '--memory', '--port', '0', '--kubeconfig', join(empty, 'x'))).toContain(
      `cannot write the kubeconfig ${empty}`,
    )
  })
  it('names its own files when they are corrupt', async () => {
    for (const file of readdirSync(pki)) {
      const folder = mkdtempSync(join(base, 'corrupt-'))
      mkdirSync(join(folder, 'pki'))
      for (const one of readdirSync(pki)) copyFileSync(join(pki, one), join(folder, 'pki', one))
      writeFileSync(join(folder, 'pki', file), 'garbage')
      expect(await up('--data-dir', folder)).toContain(file)
    }
  })
})

describe('dinghy apiserver', () => {
  it('names the nearest flag and what must be chosen', async () => {
    expect(await apiserver('--etcd-server', 'x')).toContain('did you mean --etcd-servers?')
    expect(await refusal('apiserver')).toContain('choose one of --etcd-servers, --data-dir and --memory')
  })
  it('refuses values that are none', async () => {
    expect(await apiserver('--authorization-mode', 'Magic')).toContain('"Magic" is not a valid mode')
    expect(await apiserver('--enable-admission-plugins', 'Magic')).toContain('plugin "Magic" is unknown')
    expect(await apiserver('--service-cluster-ip-range', '10.0.0.0/99')).toContain('10.0.0.0/99 is no CIDR')
    expect(await apiserver('--event-ttl', 'soon')).toContain('soon is no duration')
    expect(await apiserver('--anonymous-auth=maybe')).toContain('true or false')
  })
  it('tries certificates and keys before it serves', async () => {
    const [cert, key] = [join(pki, 'apiserver.crt'), join(pki, 'apiserver.key')]
    const serving = (certFile: string, keyFile: string): Promise<string> =>
      apiserver('--tls-cert-file', certFile, '--tls-private-key-file', keyFile)
    expect(await serving(empty, key)).toBe(`${empty} holds no certificate in PEM`)
    expect(await serving(broken, key)).toBe(`${broken} holds a certificate that cannot be read`)
    expect(await serving(cert, broken)).toBe(`${broken} holds no private key in PEM`)
    expect(await serving(cert, join(pki, 'ca.key'))).toContain('is not the key of the certificate')
    expect(await apiserver('--tls-cert-file', cert)).toContain('go together')
    expect(await apiserver('--client-ca-file', empty)).toBe(`${empty} holds no certificate in PEM`)
    expect(await apiserver('--service-account-signing-key-file', broken)).toBe(
      `${broken} holds no key for tokens: data does not contain a valid RSA or ECDSA private key`,
    )
    expect(await apiserver('--service-account-key-file', join(base, 'none'))).toContain('cannot read')
  })
})
