// Which etcd can be asked for progress. (The tests over a server are in storage.test.ts.)

import { expect, it } from 'vitest'
import { inOrder } from './client.ts'

it.each(['3.4.31', '3.4.40', '3.5.13', '3.5.21', '3.6.0', '3.6.5', '3.7.0-alpha.0', '4.0.0'])(
  'takes the answers of etcd %s to be in order',
  (version) => expect(inOrder(version)).toBe(true),
)

it.each(['3.4.23', '3.4.30', '3.5.0', '3.5.12', '3.3.25', '2.3.8', '', 'unknown'])(
  'does not take those of etcd %s',
  (version) => expect(inOrder(version)).toBe(false),
)
