// The user of a certificate whose subject has the attribute for a uid, as openssl makes it; one of several uids is none.
import { X509Certificate } from 'node:crypto'
import { expect, test } from 'vitest'
import { peerCertificate } from './x509.ts'

/** CN=jane, O=devs, 1.3.6.1.4.1.57683.2=uid-7; good for a hundred years. */
const ONE = `-----BEGIN CERTIFICATE-----
MIIBojCCAUigAwIBAgIUe7R9WlA9rNdiMBswlbAtibAYdJgwCgYIKoZIzj0EAwIw
NDENMAsGA1UEAwwEamFuZTENMAsGA1UECgwEZGV2czEUMBIGCSsGAQQBg8JTAgwF
dWlkLTcwIBcNMjYxMTIzMTQ0ODM0WhgPMjEyNjEwMzAxNDQ4MzRaMDQxDTALBgNV
BAMMBGphbmUxDTALBgNVBAoMBGRldnMxFDASBgkrBgEEAYPCUwIMBXVpZC03MFkw
EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE/QUoeVhbLyfCUYPp3XTMgjiyKyrk4PUE
LgAlB9cm4uT+zM3Uzob6xKY9dN0Saa9jJgxX+YYO53w2J2/PYIBd5aM2MDQwEwYD
VR0lBAwwCgYIKwYBBQUHAwIwHQYDVR0OBBYEFFKAZ60XJTQaJXOD8lQpptyDQxoO
MAoGCCqGSM49BAMCA0gAMEUCIDo3QCm4Ip7XjELcMUBABNrtdhlqkffDH/SekvqF
xOroAiEAsAzNCUXjKvY7o8SLmwIhoGmaJ1LlgKl9c3tuKdpggdM=
-----END CERTIFICATE-----`
/** The same, with uid-8 beside it. */
const TWO = `-----BEGIN CERTIFICATE-----
MIIBzzCCAXSgAwIBAgIUFdwa2iLWpf/+xvhu5qVpa6x2+5swCgYIKoZIzj0EAwIw
SjENMAsGA1UEAwwEamFuZTENMAsGA1UECgwEZGV2czEUMBIGCSsGAQQBg8JTAgwF
dWlkLTcxFDASBgkrBgEEAYPCUwIMBXVpZC04MCAXDTI2MTEyMzE0NDgzNFoYDzIx
MjYxMDMwMTQ0ODM0WjBKMQ0wCwYDVQQDDARqYW5lMQ0wCwYDVQQKDARkZXZzMRQw
EgYJKwYBBAGDwlMCDAV1aWQtNzEUMBIGCSsGAQQBg8JTAgwFdWlkLTgwWTATBgcq
hkjOPQIBBggqhkjOPQMBBwNCAAT9BSh5WFsvJ8JRg+nddMyCOLIrKuTg9QQuACUH
1ybi5P7MzdTOhvrEpj103RJpr2MmDFf5hg7nfDYnb89ggF3lozYwNDATBgNVHSUE
DDAKBggrBgEFBQcDAjAdBgNVHQ4EFgQUUoBnrRclNBolc4PyVCmm3INDGg4wCgYI
KoZIzj0EAwIDSQAwRgIhAL7baHwoEbiUxeucczGkzJ9Eudwt5RNimyNm+WGYKZ1R
AiEAyO6xwXg8uImtZ++BYD5pJ26VTFrZpQWaPb9XSVGgsSI=
-----END CERTIFICATE-----`

const read = (pem: string) =>
  peerCertificate({
    authorized: true,
    authorizationError: null as unknown as Error,
    getPeerX509Certificate: () => new X509Certificate(pem),
  })

test('the uid of the subject is that of the user', () => {
  expect(read(ONE)).toMatchObject({
    fault: undefined,
    user: { name: 'jane', uid: 'uid-7', groups: ['devs'] },
  })
})

test('several are nobody', () => {
  expect(read(TWO)?.fault).toBe('expected 1 UID, but found multiple: [uid-7 uid-8]')
})
