// `make certs`: the keys and certificates of a cluster in a folder, and a kubeconfig of its administrator, for running
// the parts by hand. Run again, it keeps what is still good and renews the rest.
//
//	node tools/run.js tools/certs.ts -- DIR [SERVER]
import { join } from 'node:path'
import { kubeconfigText } from '../src/cmd/kubeconfig.ts'
import { ensurePki, STANDARD_HOSTS } from '../src/pki/pki.ts'
import { writePem } from '../src/pki/folder.ts'

const [dir, server = 'https://127.0.0.1:6443'] = process.argv.slice(2)
if (dir === undefined) {
  console.error('usage: certs DIR [SERVER]')
  process.exit(2)
}
const { caCert, adminCert, adminKey } = await ensurePki({ dir, hosts: STANDARD_HOSTS })
const entry = { name: 'dinghy', server, caCert, clientCert: adminCert, clientKey: adminKey }
writePem(join(dir, 'admin.kubeconfig'), kubeconfigText(entry))
console.log(`certificates in ${dir}; the administrator's kubeconfig is ${join(dir, 'admin.kubeconfig')}`)
