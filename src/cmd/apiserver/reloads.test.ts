// What /metrics tells of configuration files that change while the server runs.
import { expect, it } from 'vitest'
import { Reloads } from './reloads.ts'

it('each outcome is counted, and the file in use is told by its digest', () => {
  const reloads = new Reloads('authentication')
  expect(reloads.metrics()).toBe('')
  reloads.begin('one')
  const name = 'apiserver_authentication_config_controller_'
  const row = (end: string, labels: string): RegExp =>
    new RegExp(
      `^${name}${end}{${labels.replace('ID', 'apiserver_id_hash="sha256:[0-9a-f]{64}"')}} [0-9.]+$`,
      'm',
    )
  expect(reloads.metrics()).not.toContain('automatic_reloads_total')
  const first = reloads.metrics()
  expect(first).toMatch(row('last_config_info', 'ID,hash="sha256:[0-9a-f]{64}"'))
  reloads.failed()
  expect(reloads.metrics()).toContain(first)
  reloads.succeeded('two')
  reloads.succeeded('three')
  const text = reloads.metrics()
  expect(text).not.toContain(first)
  expect(text).toMatch(row('automatic_reloads_total', 'status="failure",ID'))
  expect(/status="success",.*} (\d+)\n/.exec(text)?.[1]).toBe('2')
  expect(text).toMatch(row('automatic_reload_last_timestamp_seconds', 'status="success",ID'))
})
