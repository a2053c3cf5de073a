// The rows of the controllers that give identities: certificates and tokens.
// Follows k8s.io/kubernetes/cmd/kube-controller-manager/app/{certificates,core,bootstrap}.go.
import type { ControllerRow } from './row.ts'

export const IDENTITIES: readonly ControllerRow[] = [
  {
    name: 'certificatesigningrequest-signing-controller',
    alias: 'csrsigning',
    user: 'certificate-controller',
    make: async (context, { signers, signingDurationSeconds: durationSeconds }) =>
      signers.size === 0
        ? undefined
        : (await import('../../controllers/certificatesigningrequest-signing/signing.ts')).signingController(
            context,
            { signers, durationSeconds },
          ),
  },
  {
    name: 'certificatesigningrequest-approving-controller',
    alias: 'csrapproving',
    user: 'certificate-controller',
    make: async (context) =>
      (await import('../../controllers/certificatesigningrequest-approving.ts')).approvingController(context),
  },
  {
    name: 'serviceaccount-token-controller',
    alias: 'serviceaccount-token',
    make: async (context, { workers, serviceAccountKey: key, rootCa }) =>
      key === undefined
        ? undefined
        : (await import('../../controllers/serviceaccount-token/tokens.ts')).tokenController(context, {
            workers: workers['serviceaccount-token'],
            key,
            rootCa,
          }),
  },
  {
    name: 'legacy-serviceaccount-token-cleaner-controller',
    alias: 'legacy-service-account-token-cleaner',
    user: 'legacy-service-account-token-cleaner',
    make: async (context, { legacyTokenUnusedMs }) =>
      (await import('../../controllers/legacy-serviceaccount-token-cleaner.ts')).legacyTokenCleaner(
        context,
        legacyTokenUnusedMs,
      ),
  },
  {
    name: 'bootstrap-signer-controller',
    alias: 'bootstrapsigner',
    user: 'bootstrap-signer',
    offByDefault: true,
    make: async (context) => (await import('../../controllers/bootstrap-signer.ts')).bootstrapSigner(context),
  },
  {
    name: 'token-cleaner-controller',
    alias: 'tokencleaner',
    user: 'token-cleaner',
    offByDefault: true,
    make: async (context) => (await import('../../controllers/token-cleaner.ts')).tokenCleaner(context),
  },
]
