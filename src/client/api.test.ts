// Calls of an API over a transport that answers as it is told.
import { expect, it } from 'vitest'
import { Api } from './api.ts'
import { NODES } from './resources.ts'
import type { ClientRequest, ClientResponse } from './transport.ts'

const TOO_MANY = { status: 429, headers: { 'retry-after': '0' }, body: 'Too many requests' }
const NODE = JSON.stringify({ metadata: { name: 'a' } })

/** Gives these answers in turn, the last one for ever. */
function answering(answers: readonly { status: number; headers: Record<string, string>; body: string }[]) {
  const sent: ClientRequest[] = []
  const send = (request: ClientRequest): Promise<ClientResponse> => {
    const { status, headers, body } = answers[Math.min(sent.length, answers.length - 1)] ?? TOO_MANY
    sent.push(request)
    const chunks = async function* (): AsyncGenerator<Buffer> {
      yield await Promise.resolve(Buffer.from(body))
    }
    return Promise.resolve({ status, headers, body: () => Promise.resolve(Buffer.from(body)), chunks })
  }
  return { sent, api: new Api({ send, close: () => undefined }, 'test/1') }
}

it('sends again what the server had no room for, when it says', async () => {
  const { api, sent } = answering([TOO_MANY, TOO_MANY, { status: 200, headers: {}, body: NODE }])
  await expect(api.update(NODES, JSON.parse(NODE))).resolves.toEqual({ metadata: { name: 'a' } })
  expect(sent.map(({ method, body }) => `${method} ${body?.length}`)).toEqual(Array(3).fill('PUT 57'))
})

it('takes a refusal for what it is when there is never room, or no time is told', async () => {
  const never = answering([TOO_MANY])
  await expect(never.api.get(NODES, { name: 'a' })).rejects.toMatchObject({ code: 429 })
  expect(never.sent).toHaveLength(11)
  const untold = answering([{ ...TOO_MANY, headers: {} }])
  await expect(untold.api.get(NODES, { name: 'a' })).rejects.toMatchObject({ code: 429 })
  expect(untold.sent).toHaveLength(1)
})
