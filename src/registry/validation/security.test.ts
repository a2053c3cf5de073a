// Security contexts; the expected texts are those of a kube-apiserver 1.36.3.
import { expect, test } from 'vitest'
import type { JsonObject } from '../../machinery/json.ts'
import type { StatusCause } from '../../machinery/status.ts'
import { containerSecurity, operatingSystem, podSecurity } from './security.ts'
import { Spot } from './spot.ts'

function faults(value: JsonObject, rule: (spot: Spot) => void): string[] {
  const causes: StatusCause[] = []
  rule(Spot.of({ spec: value }, causes).at('spec'))
  return causes.map(({ field, message }) => `${field}: ${message}`)
}

test.each<[string, string, boolean]>([
  ['net.ipv4.tcp_rmem', 'hostNetwork', true],
  ['net/ipv4/tcp_rmem', 'hostNetwork', true],
  ['net.ipv4.tcp_rmem', 'hostIPC', false],
  ['kernel.msgmax', 'hostIPC', true],
  ['fs.mqueue.msg_max', 'hostIPC', true],
  ['kernel.msgmaxx', 'hostIPC', false],
  ['vm.swappiness', 'hostNetwork', false],
])('sysctl %s with %s', (name, shared, isRefused) => {
  const spec = { [shared]: true, securityContext: { sysctls: [{ name, value: '1' }] } }
  const why = `spec.securityContext.sysctls[0].name: Invalid value: ${JSON.stringify(name)}: may not be specified when '${shared}' is true`
  expect(faults(spec, podSecurity)).toEqual(isRefused ? [why] : [])
})

test('a context is shown with all of its fields, by their names in Go', () => {
  const context = {
    privileged: true,
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
    seLinuxOptions: { type: 't' },
    windowsOptions: {},
    seccompProfile: { type: 'RuntimeDefault' },
  }
  expect(faults(context, (spot) => containerSecurity(spot, false))).toEqual([
    'spec: Invalid value: {"Capabilities":{"Add":null,"Drop":["ALL"]},"Privileged":true,"SELinuxOptions":{"User":"","Role":"","Type":"t","Level":""},"WindowsOptions":{"GMSACredentialSpecName":null,"GMSACredentialSpec":null,"RunAsUserName":null,"HostProcess":null},"RunAsUser":null,"RunAsGroup":null,"RunAsNonRoot":null,"ReadOnlyRootFilesystem":null,"AllowPrivilegeEscalation":false,"ProcMount":null,"SeccompProfile":{"Type":"RuntimeDefault","LocalhostProfile":null},"AppArmorProfile":null}: cannot set `allowPrivilegeEscalation` to false and `privileged` to true',
  ])
})

test('what Windows does not have may not even be said to be off, where upstream can tell', () => {
  const spec = {
    os: { name: 'windows' },
    hostUsers: false,
    shareProcessNamespace: false,
    hostPID: false,
    hostIPC: false,
  }
  expect(faults(spec, operatingSystem)).toEqual([
    'spec.hostUsers: Forbidden: cannot be set for a windows pod',
    'spec.shareProcessNamespace: Forbidden: cannot be set for a windows pod',
  ])
})
