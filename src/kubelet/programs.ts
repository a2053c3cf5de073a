// What a container's command comes to, where that follows from the command alone: sleep, true, exit, and shell scripts of
// such commands. Nothing is run. What is not understood, and every image's own program but pause, is undefined: then the
// container behaves as its pod declares, or as a healthy one would.
import type { Container, EnvVar, Pod, Volume } from '../client/kinds/core.v1.gen.ts'
import { type Course, type Files, follow } from './shell/evaluate.ts'
import { NotUnderstood } from './shell/lexer.ts'

/** Files by name. A pod's are those of its emptyDir volumes, a node's those of hostPath volumes. */
export type Disk = Map<string, string>

/** What one run of a container finds: its own files end with it, its pod's with the pod. */
export interface Disks {
  readonly run: Disk
  readonly pod: Disk
  readonly node: Disk
}

/** Where images have nothing. */
const EMPTY = /^\/(tmp\/|var\/tmp\/|dev\/termination-log$)/
/** The image of the pods' own infrastructure, which waits until it is stopped. */
const PAUSE = /(^|\/)pause(:|@|$)/
const MAX_FILES = 1000
/** As upstream bounds messages of ends. */
const MAX_MESSAGE = 4096
const MAX_LOG_MESSAGE = 2048
/** What a shell says of a process that SIGTERM ended. */
const TERMINATED = 143

export interface Program extends Course {
  /** How it ends when it is told to. */
  readonly stopCode: number
}

/** How the container's next run goes; undefined where nobody can tell. */
export function programOf(pod: Pod, container: Container, disks: () => Disks): Program | undefined {
  const { command = [], args = [], image = '' } = container
  if (command.length === 0) {
    return PAUSE.test(image) && args.length === 0 ? WAITING : undefined
  }
  const seen = new Map(variablesOf(pod, container))
  const argv = [...command, ...args].map((text) => referencesExpanded(text, seen))
  const files = new Scratch(new ContainerFiles(pod, container, disks()))
  const course = follow(argv, files, (name) => seen.get(name))
  return course && { ...course, stopCode: TERMINATED }
}

const WAITING: Program = { runFor: Infinity, exitCode: 0, stopCode: 0, changes: [], output: '' }

/** Whether a probe's command succeeds on these files; undefined where nobody can tell. */
export function probeSucceeds(
  pod: Pod,
  container: Container,
  disks: Disks,
  command: readonly string[],
): boolean | undefined {
  const seen = new Map(variablesOf(pod, container))
  const files = new Scratch(new ContainerFiles(pod, container, disks))
  const course = follow(command, files, (name) => seen.get(name))
  return course && course.exitCode === 0
}

/** Makes a change of a run's course real. */
export function apply(pod: Pod, container: Container, disks: Disks, change: Course['changes'][number]): void {
  new ContainerFiles(pod, container, disks).write(change.path, change.text)
}

/** What the container's status says of its end: its message file, else the end of what it printed when it failed. */
export function lastWords(
  { terminationMessagePath = '/dev/termination-log', terminationMessagePolicy }: Container,
  program: Program | undefined,
  files: Disk | undefined,
  exitCode: number,
): string | undefined {
  const left = files?.get(terminationMessagePath)
  if (left) return left.slice(0, MAX_MESSAGE)
  const isWanted = exitCode !== 0 && terminationMessagePolicy === 'FallbackToLogsOnError'
  return isWanted && program?.output ? program.output.slice(-MAX_LOG_MESSAGE) : undefined
}

/** The files of a container: each path belongs to the volume that is mounted nearest, or to the run alone. */
class ContainerFiles implements Files {
  readonly #mounts: readonly { readonly path: string; readonly volume: Volume | undefined }[]
  readonly #disks: Disks

  constructor({ spec: { volumes = [] } }: Pod, { volumeMounts = [] }: Container, disks: Disks) {
    this.#disks = disks
    this.#mounts = volumeMounts
      .map(({ mountPath, name, subPath, subPathExpr }) => ({
        path: mountPath.replace(/\/+$/, ''),
        volume: subPath || subPathExpr ? undefined : volumes.find((one) => one.name === name),
      }))
      .sort((a, b) => b.path.length - a.path.length)
  }

  read(path: string): string | undefined {
    const [disk, key] = this.#place(path)
    const text = disk.get(key)
    if (text === undefined && disk === this.#disks.run && !EMPTY.test(path)) throw new NotUnderstood(path)
    return text
  }

  write(path: string, text: string | undefined): void {
    const [disk, key] = this.#place(path)
    if (text === undefined) disk.delete(key)
    else if (disk.size < MAX_FILES || disk.has(key)) disk.set(key, text)
  }

  #place(path: string): [Disk, string] {
    if (!path.startsWith('/') || /\/(\.\.?)?(\/|$)/.test(path)) throw new NotUnderstood(path)
    const mount = this.#mounts.find((one) => path.startsWith(`${one.path}/`))
    if (!mount) return [this.#disks.run, path]
    const rest = path.slice(mount.path.length)
    if (mount.volume?.emptyDir) return [this.#disks.pod, `${mount.volume.name}${rest}`]
    if (mount.volume?.hostPath) return [this.#disks.node, `${mount.volume.hostPath.path}${rest}`]
    throw new NotUnderstood(path)
  }
}

/** A script is followed ahead of its time: what it writes counts for itself alone, until its time has come. */
class Scratch implements Files {
  readonly #below: Files
  readonly #written = new Map<string, string | undefined>()

  constructor(below: Files) {
    this.#below = below
  }

  read(path: string): string | undefined {
    return this.#written.has(path) ? this.#written.get(path) : this.#below.read(path)
  }

  write(path: string, text: string | undefined): void {
    this.#written.set(path, text)
  }
}

/** The environment as the pod says it; variables out of other objects are left out, as nobody read these. */
function* variablesOf(pod: Pod, { env = [] }: Container): Generator<[string, string]> {
  const seen = new Map<string, string>()
  for (const one of env) {
    const value = one.valueFrom ? fieldOf(pod, one) : referencesExpanded(one.value ?? '', seen)
    if (value === undefined) continue
    seen.set(one.name, value)
    yield [one.name, value]
  }
}

function fieldOf(pod: Pod, { valueFrom }: EnvVar): string | undefined {
  const path = valueFrom?.fieldRef?.fieldPath ?? ''
  const [, list, key = ''] = /^metadata\.(annotations|labels)\['(.+)'\]$/.exec(path) ?? []
  const { name = '', namespace = '', uid = '', annotations, labels } = pod.metadata
  if (list !== undefined) return (list === 'labels' ? labels : annotations)?.[key] ?? ''
  const known = new Map([
    ['metadata.name', name],
    ['metadata.namespace', namespace],
    ['metadata.uid', uid],
    ['spec.nodeName', pod.spec.nodeName ?? ''],
    ['spec.serviceAccountName', pod.spec.serviceAccountName ?? ''],
  ])
  return known.get(path)
}

/** `$(NAME)` in commands and in values; `$$` is a dollar, and what is not known stays as it is. */
const referencesExpanded = (text: string, variables: ReadonlyMap<string, string>): string =>
  text.replace(/\$\$|\$\(([A-Za-z_.-][\w.-]*)\)/g, (all, name: string | undefined) =>
    name === undefined ? '$' : (variables.get(name) ?? all),
  )
