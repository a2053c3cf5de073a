// Who decides on requests: the modes that the flags name, or those of a file that is read again when it changes.
// Follows k8s.io/kubernetes/pkg/kubeapiserver/authorizer (config.go, reload.go).
import { statSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { AuthorizerChoice, WebhookSettings } from '../../authz/authorizationconfig.ts'
import {
  authorizerChain,
  type AuthorizationMode,
  builtinAuthorizer,
  type RuleAuthorizer,
} from '../../authz/chain.ts'
import type { NodeAuthorizer } from '../../authz/node.ts'
import type { RbacAuthorizer } from '../../authz/rbac.ts'
import { fileText } from '../files.ts'
import type { Log } from '../log.ts'
import { type ApiServerOptions, orStartError, StartError } from '../options.ts'

export interface Authorization {
  readonly authorizer: RuleAuthorizer
  /** Ends what watches files and asks webhooks. */
  close(): void
}

export interface AuthorizationParts {
  readonly options: ApiServerOptions
  readonly log: Log
  readonly rbac: RbacAuthorizer
  readonly node: NodeAuthorizer
}

/** Authorizers, and how to end what they hold. */
interface Made {
  readonly chain: RuleAuthorizer
  close(): void
}

/** Rejects with StartError for files that cannot be read or used. */
export async function authorizationOf(parts: AuthorizationParts): Promise<Authorization> {
  const { options } = parts
  if (options.authorizationConfigFile !== undefined)
    return await fromFile(parts, options.authorizationConfigFile)
  const { chain, close } = await made(parts, choicesOf(options))
  return { authorizer: chain, close }
}

/** The name that upstream gives the webhook of the flags. */
const FLAGS_WEBHOOK = 'default'
const FLAGS_TIMEOUT_SECONDS = 30

function choicesOf({
  authorizationModes,
  authorizationWebhook: webhook,
}: ApiServerOptions): AuthorizerChoice[] {
  return authorizationModes.map((type): AuthorizerChoice => {
    if (type !== 'Webhook') return { type, name: type.toLowerCase() }
    if (!webhook) throw new StartError("authorization-mode Webhook's authorization config file not passed")
    const { configFile, ...settings } = webhook
    return {
      type,
      name: FLAGS_WEBHOOK,
      webhook: {
        ...settings,
        kubeConfigFile: configFile,
        timeoutSeconds: FLAGS_TIMEOUT_SECONDS,
        failurePolicy: 'NoOpinion',
        conditions: [],
      },
    }
  })
}

async function made(parts: AuthorizationParts, choices: readonly AuthorizerChoice[]): Promise<Made> {
  const closing: (() => void)[] = []
  const authorizers: RuleAuthorizer[] = []
  for (const choice of choices) {
    if (choice.type === 'Webhook') {
      const { authorizer, close } = await webhookAuthorizer(choice.name, choice.webhook, parts.log)
      authorizers.push(authorizer)
      closing.push(close)
    } else if (choice.type === 'ABAC') authorizers.push(await abac(parts.options))
    else authorizers.push(builtinAuthorizer(choice.type, parts))
  }
  return { chain: authorizerChain(authorizers), close: () => closing.forEach((close) => close()) }
}

async function abac({ authorizationPolicyFile: file }: ApiServerOptions): Promise<RuleAuthorizer> {
  if (file === undefined)
    throw new StartError("authorization-mode ABAC's authorization policy file not passed")
  const { abacAuthorizer } = await import('../../authz/abac.ts')
  return orStartError(() => abacAuthorizer(file, fileText(file)))
}

async function webhookAuthorizer(
  name: string,
  settings: WebhookSettings,
  log: Log,
): Promise<{ authorizer: RuleAuthorizer; close: () => void }> {
  const { WebhookAuthorizer } = await import('../../authz/webhook.ts')
  const { webhookOf } = await import('./webhookfile.ts')
  const { kubeConfigFile, timeoutSeconds, failurePolicy, conditions, ...kept } = settings
  const webhook = await webhookOf(kubeConfigFile, timeoutSeconds)
  const conditionsHold =
    conditions.length > 0 ? (await import('../../authz/matchconditions.ts')).conditionsHold : undefined
  const authorizer = new WebhookAuthorizer({
    ...kept,
    decisionOnError: failurePolicy === 'Deny' ? 'deny' : 'noOpinion',
    ...(conditionsHold ? { matches: (spec) => conditionsHold(conditions, spec) } : {}),
    send: (body) => webhook.call(body),
    warn: (why) => log.error({ authorizer: name, why }, 'could not ask the webhook about a request'),
    now: () => performance.now(),
    wait: (ms) => delay(ms),
  })
  return { authorizer, close: () => webhook.close() }
}

// ---- the file

async function fromFile(parts: AuthorizationParts, file: string): Promise<Authorization> {
  const { log } = parts
  const { reloads } = await import('../apiserver/reloads.ts')
  let text = fileText(file)
  reloads.authorization.begin(text)
  const choices = await choicesIn(file, text)
  let current = await made(parts, choices)
  const required = new Set<AuthorizationMode>(
    choices.flatMap(({ type }) => (type === 'Webhook' ? [] : [type])),
  )
  const look = async (): Promise<void> => {
    const now = fileText(file)
    if (now === text) return
    text = now
    const next = await choicesIn(file, now, required)
    const added = next.find(({ type }) => NEEDS_START.has(type) && !required.has(type))
    if (added)
      throw new Error(
        `authorizer type ${added.type} is not allowed if it was not enabled at initial server startup`,
      )
    // What the old ones are asking goes on; their connections end when they are idle for long enough.
    current = await made(parts, next)
    reloads.authorization.succeeded(now)
    log.info({ file }, 'reloaded authz config')
  }
  const { watchFiles } = await import('../filewatch.ts')
  const stop = watchFiles([file], look, (error) => {
    reloads.authorization.failed()
    log.error({ file, error: String(error) }, 'reloading authorization config')
  })
  return {
    authorizer: {
      authorize: (attributes) => current.chain.authorize(attributes),
      rulesFor: (user, namespace) => current.chain.rulesFor(user, namespace),
    },
    close() {
      stop()
      current.close()
    },
  }
}

/** Upstream builds these once, at the start. */
const NEEDS_START: ReadonlySet<AuthorizationMode> = new Set(['ABAC', 'Node', 'RBAC'])

async function choicesIn(
  file: string,
  text: string,
  required?: ReadonlySet<AuthorizationMode>,
): Promise<readonly AuthorizerChoice[]> {
  const { readAuthorizationConfig } = await import('../../authz/authorizationconfig.ts')
  const { yamlObject } = await import('./webhookfile.ts')
  const value = await yamlObject(file, Buffer.from(text))
  try {
    return await readAuthorizationConfig(value, { fileFault, ...(required ? { required } : {}) })
  } catch (error) {
    throw new StartError(`${file}: ${(error as Error).message}`, error)
  }
}

function fileFault(path: string): string | undefined {
  try {
    return statSync(path).isFile() ? undefined : 'must be a regular file'
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const why =
      code === 'ENOENT' ? 'no such file or directory' : code === 'EACCES' ? 'permission denied' : code
    return `error loading file: stat ${path}: ${why}`
  }
}
