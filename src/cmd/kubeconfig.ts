// The kubeconfig: a text of our own, or our context merged into the user's file, whose other lines stay as they are.
// Follows k8s.io/client-go/tools/clientcmd.
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import type { Document, ToStringOptions, YAMLMap } from 'yaml'

/** Name of our cluster, its administrator and the context of both. */
export const CONTEXT = 'dinghy'

/** One cluster with its admin. All certificates and keys are PEM. */
export interface KubeconfigEntry {
  /** Name of the cluster, of the user and of the context. */
  readonly name: string
  /** https://host:port */
  readonly server: string
  readonly caCert: string
  readonly clientCert: string
  readonly clientKey: string
}

/** A kubeconfig that cannot be read or written; the message is one line that says why. */
export class KubeconfigError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause })
    this.name = 'KubeconfigError'
  }
}

const FILE_MODE = 0o600
const FOLDER_MODE = 0o700

/** The text of a kubeconfig that holds this entry alone. */
export function kubeconfigText(entry: KubeconfigEntry): string {
  const name = JSON.stringify(entry.name)
  return [
    'apiVersion: v1',
    'kind: Config',
    'clusters:',
    `- name: ${name}`,
    '  cluster:',
    `    server: ${JSON.stringify(entry.server)}`,
    `    certificate-authority-data: ${base64(entry.caCert)}`,
    'users:',
    `- name: ${name}`,
    '  user:',
    `    client-certificate-data: ${base64(entry.clientCert)}`,
    `    client-key-data: ${base64(entry.clientKey)}`,
    'contexts:',
    `- name: ${name}`,
    '  context:',
    `    cluster: ${name}`,
    `    user: ${name}`,
    `current-context: ${name}`,
    '',
  ].join('\n')
}

/** The file that kubectl would write: the first of KUBECONFIG, else ~/.kube/config. */
export function defaultKubeconfigPath(env: NodeJS.ProcessEnv = process.env): string {
  const first = (env['KUBECONFIG'] ?? '').split(delimiter).find((path) => path !== '')
  return first ?? join(homedir(), '.kube', 'config')
}

/** Writes the file whole or not at all, with mode 0600; makes its folder. Throws KubeconfigError. */
export function writeKubeconfig(path: string, text: string): void {
  let temporary: string | undefined
  try {
    mkdirSync(dirname(path), { recursive: true, mode: FOLDER_MODE })
    const target = followLinks(path)
    temporary = `${target}.${randomBytes(6).toString('hex')}.tmp`
    writeFileSync(temporary, text, { mode: FILE_MODE, flag: 'wx' })
    chmodSync(temporary, FILE_MODE)
    renameSync(temporary, target)
  } catch (error) {
    if (temporary !== undefined) rmSync(temporary, { force: true })
    throw new KubeconfigError(`cannot write the kubeconfig ${path}: ${whyOf(error)}`, error)
  }
}

/**
 * Puts the entry's cluster, user and context into the file, in the place of those of the same name, and makes it the
 * current context. Everything else, comments and order included, stays. Throws KubeconfigError.
 */
export async function mergeKubeconfig(path: string, entry: KubeconfigEntry): Promise<void> {
  const text = readIfThere(path)
  if (text === undefined || text.trim() === '') {
    writeKubeconfig(path, kubeconfigText(entry))
    return
  }
  const { isMap, parseDocument } = (await import('yaml')).default
  const document = parseDocument(text)
  const fault = document.errors[0]?.message.split('\n')[0]
  if (fault !== undefined) throw new KubeconfigError(`the kubeconfig ${path} is not valid YAML: ${fault}`)
  if (document.contents !== null && !isMap(document.contents)) {
    throw new KubeconfigError(`the kubeconfig ${path} is no kubeconfig: it holds no mapping`)
  }
  await put(document, path, entry)
  writeKubeconfig(path, document.toString(styleOf(text)))
}

/** How the file is laid out, so that the lines which are not ours come out as they went in. */
function styleOf(text: string): ToStringOptions {
  return { lineWidth: 0, indentSeq: !/^- /m.test(text), flowCollectionPadding: !/[[{][^\s\]}]/.test(text) }
}

async function put(document: Document, path: string, entry: KubeconfigEntry): Promise<void> {
  const { isMap, isSeq } = (await import('yaml')).default
  const { name } = entry
  for (const [list, item] of Object.entries(itemsOf(entry))) {
    const items = document.get(list)
    if (items === undefined || items === null) {
      document.set(list, document.createNode([item]))
      continue
    }
    if (!isSeq(items))
      throw new KubeconfigError(`the kubeconfig ${path} is no kubeconfig: ${list} is no list`)
    const at = items.items.findIndex((node) => isMap(node) && (node as YAMLMap).get('name') === name)
    if (at === -1) {
      // A list written in one line, "[]" say, would take its new items into that line.
      if (items.items.length === 0) items.flow = false
      items.add(document.createNode(item))
    } else {
      items.set(at, document.createNode(item))
    }
  }
  if (!document.has('apiVersion')) document.set('apiVersion', 'v1')
  if (!document.has('kind')) document.set('kind', 'Config')
  document.set('current-context', name)
}

function itemsOf(entry: KubeconfigEntry): Record<'clusters' | 'users' | 'contexts', object> {
  const { name, server } = entry
  return {
    clusters: { name, cluster: { server, 'certificate-authority-data': base64(entry.caCert) } },
    users: {
      name,
      user: {
        'client-certificate-data': base64(entry.clientCert),
        'client-key-data': base64(entry.clientKey),
      },
    },
    contexts: { name, context: { cluster: name, user: name } },
  }
}

/** A link, as dotfile managers make them, stays one: what it points to is replaced. */
function followLinks(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}

function readIfThere(path: string): string | undefined {
  try {
    if (statSync(path).isDirectory()) throw new KubeconfigError(`the kubeconfig ${path} is a folder`)
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    if (error instanceof KubeconfigError) throw error
    throw new KubeconfigError(`cannot read the kubeconfig ${path}: ${whyOf(error)}`, error)
  }
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')

function whyOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  const reasons: Readonly<Record<string, string>> = {
    EACCES: 'permission denied',
    EPERM: 'permission denied',
    EEXIST: 'a part of its path is a file',
    ENOTDIR: 'a part of its path is a file',
    EISDIR: 'it is a folder',
    ENOSPC: 'no space left on the device',
    EROFS: 'the file system is read-only',
  }
  return reasons[code ?? ''] ?? message
}
