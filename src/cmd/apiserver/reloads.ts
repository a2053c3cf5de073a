// How often configuration files were taken again while the server ran, and how often not, for /metrics. Of this process.
// Follows the metrics of k8s.io/apiserver/pkg/server/options/{authentication,authorization,encryption}config.
import { createHash } from 'node:crypto'
import { hostname } from 'node:os'
import { familyText, type Labels } from '../../machinery/exposition.ts'
import { identityOf } from './identity-lease.ts'

type Status = 'success' | 'failure'

const hashOf = (text: string): string =>
  text === '' ? '' : `sha256:${createHash('sha256').update(text).digest('hex')}`

/** Of one file. */
export class Reloads {
  readonly #prefix: string
  readonly #outcomes = new Map<Status, { count: number; at: number }>()
  #hash: string | undefined

  constructor(what: string) {
    this.#prefix = `apiserver_${what}_config_controller_`
  }

  /** The file as it was read at the start. */
  begin(text: string): void {
    this.#hash = hashOf(text)
  }

  succeeded(text: string): void {
    this.begin(text)
    this.#note('success')
  }

  failed(): void {
    this.#note('failure')
  }

  #note(status: Status): void {
    const count = (this.#outcomes.get(status)?.count ?? 0) + 1
    this.#outcomes.set(status, { count, at: Date.now() / 1000 })
  }

  /** Nothing before a file was read. */
  metrics(): string {
    const own = { apiserver_id_hash: hashOf(identityOf(hostname())) }
    const rows = (read: (outcome: { count: number; at: number }) => number): [Labels, number][] =>
      [...this.#outcomes].map(([status, outcome]) => [{ status, ...own }, read(outcome)])
    const name = (end: string): string => this.#prefix + end
    return [
      familyText(
        {
          type: 'counter',
          name: name('automatic_reloads_total'),
          help: 'Times that the file was taken again.',
        },
        rows(({ count }) => count),
      ),
      familyText(
        { type: 'gauge', name: name('automatic_reload_last_timestamp_seconds'), help: 'The last of them.' },
        rows(({ at }) => at),
      ),
      familyText(
        { type: 'gauge', name: name('last_config_info'), help: 'The file that is in use, by its digest.' },
        this.#hash === undefined ? [] : [[{ ...own, hash: this.#hash }, 1]],
      ),
    ].join('')
  }
}

export const reloads = {
  authentication: new Reloads('authentication'),
  authorization: new Reloads('authorization'),
  encryption: new Reloads('encryption'),
}

export const reloadsText = (): string =>
  Object.values(reloads)
    .map((one) => one.metrics())
    .join('')
