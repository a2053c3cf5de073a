// How long requests are kept.
import { expect, it } from 'vitest'
import { isOver } from './certificatesigningrequest-cleaner.ts'

const NOW = Date.parse('2026-01-03T00:00:00Z')
const ago = (hours: number): string => new Date(NOW - hours * 3_600_000).toISOString()
const request = (created: number, type?: string, hours = 0, certificate?: string) =>
  ({
    metadata: { creationTimestamp: ago(created) },
    status: {
      ...(type ? { conditions: [{ type, status: 'True', lastUpdateTime: ago(hours) }] } : {}),
      ...(certificate ? { certificate } : {}),
    },
  }) as never

it.each([
  ['one that waits a day', request(25), true],
  ['one that waits less', request(23), false],
  ['one that was denied', request(2, 'Denied', 1.1), true],
  ['one that was denied just now', request(30, 'Denied', 0.9), false],
  ['one that failed', request(2, 'Failed', 1.1), true],
  ['one that was approved and never signed', request(30, 'Approved', 25), true],
  ['one that was approved and not signed yet', request(30, 'Approved', 23), false],
  ['one that was signed', request(2, 'Approved', 1.1, 'nonsense'), true],
  ['one that was signed just now', request(2, 'Approved', 0.9, 'nonsense'), false],
])('%s: %s', (_what, one, over) => {
  expect(isOver(one, NOW)).toBe(over)
})
