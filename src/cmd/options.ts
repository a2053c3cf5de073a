// What an API server is started with, whichever way: library call, `dinghy up`, `dinghy apiserver`.
import type { JwtIssuer } from '../authn/authenticationconfig.ts'
import type { RequestHeaderOptions } from '../authn/requestheader.ts'
import type { AuthorizationMode } from '../authz/chain.ts'

export type StorageChoice =
  | { readonly memory: true }
  | { readonly dataDir: string }
  | {
      readonly etcdServers: readonly string[]
      readonly etcdTlsFiles?: EtcdTlsFiles
      /** Where the keys stand; absent: below /registry, as everybody's. */
      readonly etcdPrefix?: string
    }

/** PEM files by which etcd is known, and we to it. */
export interface EtcdTlsFiles {
  readonly ca: string
  readonly cert?: string
  readonly key?: string
}

/** Proxies that may name users in headers. */
export interface ProxyOptions extends RequestHeaderOptions {
  /** CAs of their certificates, PEM file; absent: our own CA for them. */
  readonly caFile?: string
}

/** One OpenID issuer, as flags name it. */
export interface OidcChoice {
  readonly issuer: JwtIssuer
  readonly signingAlgorithms: readonly string[]
  /** PEM file; absent: the CAs that node knows. */
  readonly caFile?: string
}

/** A server that knows tokens. */
export interface TokenWebhook {
  /** A kubeconfig. */
  readonly configFile: string
  readonly version: 'v1' | 'v1beta1'
  readonly cacheMs: number
}

/** A server that decides on requests, as flags name it. */
export interface AuthorizationWebhook {
  /** A kubeconfig. */
  readonly configFile: string
  readonly version: 'v1' | 'v1beta1'
  /** How long its answers are remembered; 0: they are not. */
  readonly authorizedTtlMs: number
  readonly unauthorizedTtlMs: number
}

/** How values are encrypted in the store. */
export interface EncryptionChoice {
  /** An EncryptionConfiguration of apiserver.config.k8s.io. */
  readonly configFile: string
  /** The file is looked at again and again. */
  readonly automaticReload: boolean
}

/** What is recorded of requests, and where. */
export interface AuditOptions {
  /** A Policy of audit.k8s.io/v1. */
  readonly policyFile: string
  readonly file?: AuditLogFile
  readonly webhook?: AuditWebhook
}

/** Lines in a file. */
export interface AuditLogFile {
  /** "-" is standard output. */
  readonly path: string
  /** Megabytes after which a new file is begun; 0: never. */
  readonly maxSize: number
  /** Days that old files are kept, and how many of them; 0: however long, all. */
  readonly maxAge: number
  readonly maxBackups: number
  readonly compress: boolean
  /** A request that cannot be recorded is refused. */
  readonly strict: boolean
  /** Absent: json. */
  readonly format?: 'json' | 'legacy'
  /** Events are gathered and written behind the requests; absent: before their answers. */
  readonly batch?: AuditBatch
  /** Events that are larger lose what was sent and answered; absent: however large. */
  readonly maxEventBytes?: number | undefined
}

/** How events are gathered; see BatchOptions in src/audit/batch.ts. */
export interface AuditBatch {
  readonly bufferSize: number
  readonly maxBatchSize: number
  readonly maxWaitMs: number
  readonly throttle: { readonly qps: number; readonly burst: number } | undefined
}

/** Events that another server is sent, many in one request. */
export interface AuditWebhook extends AuditBatch {
  /** A kubeconfig. */
  readonly configFile: string
  readonly initialBackoffMs: number
  /** Each event by itself, while its request waits; strict: one that cannot be recorded is refused. */
  readonly blocking?: 'blocking' | 'blocking-strict' | undefined
  readonly maxEventBytes?: number | undefined
}

/** How kubelets are talked to. */
export interface KubeletChoice {
  /** PEM files. Absent: kubelets need not show who they are; and our own certificate, of our own CA. */
  readonly certificateAuthorityFile?: string
  readonly clientCertFile?: string
  readonly clientKeyFile?: string
  /** Which of a node's addresses is taken, the first that it has. */
  readonly preferredAddressTypes?: readonly string[]
}

export interface ApiServerOptions {
  readonly storage: StorageChoice
  /** Absent: values are stored as they are. */
  readonly encryption?: EncryptionChoice
  readonly bindAddress: string
  /** Where others reach the server; absent: the bind address, or the machine's first. */
  readonly advertiseAddress?: string
  /** 0 picks a free one. */
  readonly port: number
  /** Where keys and certificates are kept; absent: in memory. */
  readonly certDir?: string
  /** A serving certificate and key of the user's own, PEM files. */
  readonly tlsCertFile?: string
  readonly tlsPrivateKeyFile?: string
  /** CAs of client certificates, PEM file; absent: our own CA. */
  readonly clientCaFile?: string
  readonly tokenAuthFile?: string
  readonly authorizationModes: readonly AuthorizationMode[]
  /** Of the mode Webhook. */
  readonly authorizationWebhook?: AuthorizationWebhook
  /** Of the mode ABAC. */
  readonly authorizationPolicyFile?: string
  /** In the place of all three, as upstream's AuthorizationConfiguration. */
  readonly authorizationConfigFile?: string
  readonly anonymousAuth: boolean
  /** The flag was given: then the file of authentication may say nothing of it. */
  readonly anonymousAuthGiven?: boolean
  /** OpenID issuers and paths for anonymous requests, as upstream's AuthenticationConfiguration. */
  readonly authenticationConfigFile?: string
  readonly oidc?: OidcChoice
  readonly tokenWebhook?: TokenWebhook
  /** Tokens in secrets of kube-system let nodes join. */
  readonly enableBootstrapTokenAuth: boolean
  /** Absent: no headers name anybody. */
  readonly requestHeader?: ProxyOptions
  /** By which extension servers know us, PEM files; absent: our own, where our own CA of proxies counts. */
  readonly proxyClientCertFile?: string
  readonly proxyClientKeyFile?: string
  readonly kubelet?: KubeletChoice
  /** The first signs tokens; those of all are accepted. */
  readonly serviceAccountIssuers: readonly string[]
  /** PEM files of keys that verify service accounts' tokens, and of the one that signs them. */
  readonly serviceAccountKeyFiles: readonly string[]
  readonly serviceAccountSigningKeyFile?: string
  /** Where the issuer's public keys are found; absent: at this server. */
  readonly serviceAccountJwksUri?: string
  /** Seconds; absent: no bound but that of the request's validation. */
  readonly serviceAccountMaxTokenExpiration?: number
  /** Tokens of pods, as admission asks for them, live a year and are only warned of after their hour. */
  readonly serviceAccountExtendTokenExpiration: boolean
  /** Audiences of tokens for this server; absent: the issuers. */
  readonly apiAudiences?: readonly string[]
  /** Absent: nothing is audited. */
  readonly audit?: AuditOptions
  readonly serviceClusterIpRange: readonly string[]
  readonly serviceNodePortRange: readonly [number, number]
  readonly enableAdmissionPlugins: readonly string[]
  readonly disableAdmissionPlugins: readonly string[]
  readonly admissionControlConfigFile?: string
  /** Of both following: seats in all, which flow schemas and priority levels share out. Else limits of their own. */
  readonly enablePriorityAndFairness: boolean
  readonly maxRequestsInflight: number
  readonly maxMutatingRequestsInflight: number
  readonly allowPrivileged: boolean
  readonly eventTtlSeconds: number
  readonly etcdCompactionIntervalMs: number
  readonly logLevel: LogLevel
}

export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

const ISSUER = 'https://kubernetes.default.svc'

/** Upstream's defaults where it has them, `dinghy up`'s elsewhere. */
export const DEFAULTS: ApiServerOptions = {
  storage: { memory: true },
  bindAddress: '127.0.0.1',
  port: 6443,
  authorizationModes: ['Node', 'RBAC'],
  anonymousAuth: true,
  enableBootstrapTokenAuth: true,
  requestHeader: {
    allowedNames: ['front-proxy-client'],
    usernameHeaders: ['X-Remote-User'],
    uidHeaders: ['X-Remote-Uid'],
    groupHeaders: ['X-Remote-Group'],
    extraHeaderPrefixes: ['X-Remote-Extra-'],
  },
  serviceAccountIssuers: [ISSUER],
  serviceAccountKeyFiles: [],
  serviceAccountExtendTokenExpiration: true,
  serviceClusterIpRange: ['10.96.0.0/16'],
  serviceNodePortRange: [30000, 32767],
  enableAdmissionPlugins: [],
  disableAdmissionPlugins: [],
  enablePriorityAndFairness: true,
  maxRequestsInflight: 400,
  maxMutatingRequestsInflight: 200,
  allowPrivileged: true,
  eventTtlSeconds: 3600,
  etcdCompactionIntervalMs: 300_000,
  logLevel: 'warn',
}

/** What `make` throws, as a StartError. */
export function orStartError<T>(make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (error instanceof StartError) throw error
    throw new StartError(error instanceof Error ? error.message : String(error), error)
  }
}

/** Something the operator can mend: shown as one line, exit code 1. */
export class StartError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'StartError'
  }
}
