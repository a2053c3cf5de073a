// Room for claims: a folder of the node where it is used. On simulated nodes no program runs that would write into it, so
// none is made; a kubelet that runs programs makes it when a pod first asks for it.
// Follows the role of rancher.io/local-path.
import type { Storage } from '../provider.ts'

export const PROVISIONER = 'dinghy/local'
const FOLDER = '/var/lib/dinghy/volumes'

export const localStorage = (): Storage => ({
  provisioner: PROVISIONER,
  create: (name, node) =>
    Promise.resolve({
      hostPath: { path: `${FOLDER}/${name}`, type: 'DirectoryOrCreate' },
      ...(node === undefined ? {} : { nodeAffinity: onNode(node) }),
    }),
  // The folder is the node's own.
  remove: () => Promise.resolve(),
})

const onNode = (node: string) => {
  const matchExpressions = [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node] }]
  return { required: { nodeSelectorTerms: [{ matchExpressions }] } }
}
