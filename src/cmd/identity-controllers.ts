// The rows of the controllers that give identities: certificates and tokens.
// Follows k8s.io/kubernetes/cmd/kube-controller-manager/app/{certificates,core,bootstrap}.go.
import type { ControllerRow } from './controller-row.ts'

export const IDENTITIES: readonly ControllerRow[] = [
  {
    name: 'certificatesigningrequest-signing-controller',
    alias: 'csrsigning',
    user: 'certificate-controller',
    make: async (context, { signers, signingDurationSeconds: durationSeconds }) =>
      signers.size === 0
        ? undefined
        : (await import('../controllers/certificatesigningrequest-signing/signing.ts')).signingController(
            context,
            { signers, durationSeconds },
          ),
  },
  {
    name: 'certificatesigningrequest-approving-controller',
    alias: 'csrapproving',
    user: 'certificate-controller',
    make: async (context) =>
      (await import('../controllers/certificatesigningrequest-approving.ts')).approvingController(context),
  },
]
