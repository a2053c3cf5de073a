// The command lines that kubeadm and others start controllers and schedulers with.
import { expect, it } from 'vitest'
import { CONTROLLER_FLAGS, settingsOf } from '../controllers/flags.ts'
import { commandLine } from '../flags.ts'
import { SERVING_FLAGS, servingOptions, vain } from './serving-flags.ts'

const given = (...argv: string[]) => {
  const flags = commandLine('test', '', CONTROLLER_FLAGS, argv)
  if (!flags) throw new Error('help was asked for')
  return flags
}

it('takes what kubeadm gives a controller manager', () => {
  const flags = given(
    '--allocate-node-cidrs=true',
    '--authentication-kubeconfig=/etc/kubernetes/controller-manager.conf',
    '--authorization-kubeconfig=/etc/kubernetes/controller-manager.conf',
    '--bind-address=127.0.0.1',
    '--client-ca-file=/nowhere/ca.crt',
    '--cluster-cidr=10.244.0.0/16',
    '--cluster-name=mk',
    '--controllers=*,bootstrap-signer-controller,token-cleaner-controller',
    '--kubeconfig=/etc/kubernetes/controller-manager.conf',
    '--leader-elect=false',
    '--requestheader-client-ca-file=/var/lib/certs/front-proxy-ca.crt',
    '--service-cluster-ip-range=10.96.0.0/12',
    '--use-service-account-credentials=true',
    '--disable-force-detach-on-timeout',
    '--max-endpoints-per-slice=7',
    '--profiling=false',
  )
  expect(settingsOf(flags)).toMatchObject({ forcesDetach: false, maxEndpointsPerSlice: 7 })
  expect(vain(CONTROLLER_FLAGS, flags).sort()).toEqual([
    'cluster-name',
    'profiling',
    'requestheader-client-ca-file',
  ])
  expect(() => servingOptions(flags)).toThrow(/^--client-ca-file: ENOENT/)
})

it('says how callers are to be known', () => {
  const flags = commandLine('test', '', SERVING_FLAGS, [
    '--authorization-always-allow-paths=/healthz,/metrics',
    '--tls-min-version=VersionTLS13',
  ])
  expect(flags && servingOptions(flags)).toMatchObject({
    openPaths: ['/healthz', '/metrics'],
    minVersion: 'TLSv1.3',
    clientCa: undefined,
  })
})

it('takes no flag that upstream has not', () => {
  expect(() => given('--client-ca-files=x')).toThrow(/client-ca-files/)
})
