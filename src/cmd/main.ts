// The command line: `dinghy up`, `dinghy apiserver`, …. Loads only the command that is asked for.
import { StartError } from './options.ts'
import { boundYoungGeneration } from './younggeneration.ts'

const USAGE = `dinghy: Kubernetes' control plane in one process

  dinghy up                  a cluster, ready in a moment; its context is put into your kubeconfig
  dinghy apiserver           the API server alone, with upstream's flags
  dinghy controller-manager  the controllers alone, with upstream's flags
  dinghy cloud-controller-manager
                             the cloud's controllers alone, with upstream's flags
  dinghy scheduler           the scheduler alone, with upstream's flags
  dinghy kubelet             simulated nodes alone
  dinghy user add NAME       a kubeconfig for a new user
  dinghy scale nodes N       changes how many nodes a cluster simulates
  dinghy envtest             a control plane for operators' tests: prints a KUBEBUILDER_ASSETS
  dinghy version             what this is

Each command explains itself with --help.
`

/**
 * Objects' bytes on their way share pieces of this size; of node's own 8 KiB, a piece would hold three pods, and making
 * pieces costs more than filling them. What is kept (the watch cache) has memory of its own.
 */
Buffer.poolSize = 64 * 1024

async function main(argv: readonly string[]): Promise<void> {
  boundYoungGeneration()
  const [command, ...rest] = argv
  switch (command) {
    case 'up':
      return (await import('./up.ts')).up(rest)
    case 'apiserver':
      return (await import('./apiserver/command.ts')).apiserver(rest)
    case 'controller-manager':
      return (await import('./controllers/controller-manager.ts')).controllerManager(rest)
    case 'cloud-controller-manager':
      return (await import('./cloud/process.ts')).cloudControllerManager(rest)
    case 'scheduler':
      return (await import('./scheduler/scheduler.ts')).scheduler(rest)
    case 'kubelet':
      return (await import('./nodes/kubelet.ts')).kubelet(rest)
    case 'user':
      return (await import('./user.ts')).user(rest)
    case 'scale':
      return (await import('./scale.ts')).scale(rest)
    case 'envtest':
      return (await import('./envtest/envtest.ts')).envtest(rest)
    case 'version':
    case '--version': {
      const { dinghyVersion } = await import('./build.ts')
      const { KUBERNETES_VERSION } = await import('../server/version.ts')
      return void process.stdout.write(`dinghy ${dinghyVersion()} (Kubernetes ${KUBERNETES_VERSION})\n`)
    }
    case undefined:
    case 'help':
    case '--help':
    case '-h':
      return void process.stdout.write(USAGE)
    default:
      throw new StartError(`unknown command ${JSON.stringify(command)}; try dinghy --help`)
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  if (!(error instanceof StartError)) throw error
  process.stderr.write(`dinghy: ${error.message}\n`)
  process.exitCode = 1
})
