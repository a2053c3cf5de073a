import { expect, it } from 'vitest'
import { SharedObjects } from './sharedobjects.ts'

const line = (type: string, version: string, more: object = {}): Buffer =>
  Buffer.from(
    JSON.stringify({
      type,
      object: {
        kind: 'Pod',
        apiVersion: 'v1',
        metadata: { name: 'a', namespace: 'b', uid: 'u', resourceVersion: version, ...more },
      },
    }),
  )

it('gives the same version to everybody as one object', () => {
  const objects = new SharedObjects()
  const first = objects.read(line('ADDED', '5'))
  expect(objects.read(line('MODIFIED', '5'))).toEqual({ type: 'MODIFIED', object: first.object })
  expect(objects.read(line('MODIFIED', '5')).object).toBe(first.object)
  const second = objects.read(line('MODIFIED', '6', { labels: { a: 'b' } }))
  expect(second.object).toMatchObject({ metadata: { resourceVersion: '6', labels: { a: 'b' } } })
  // One who lags behind sees what was, and the others keep what is.
  expect(objects.read(line('MODIFIED', '5')).object).toEqual(first.object)
  expect(objects.read(line('MODIFIED', '6')).object).toBe(second.object)
})

it('reads deletions, bookmarks and other servers’ texts as they are', () => {
  const objects = new SharedObjects()
  const first = objects.read(line('ADDED', '5'))
  expect(objects.read(line('DELETED', '7'))).toMatchObject({
    type: 'DELETED',
    object: { metadata: { resourceVersion: '7' } },
  })
  expect(objects.read(line('ADDED', '5')).object).not.toBe(first.object)
  expect(objects.read(Buffer.from('{"object":{"metadata":{"uid":"u"}},"type":"ADDED"}'))).toEqual({
    type: 'ADDED',
    object: { metadata: { uid: 'u' } },
  })
  expect(() => objects.read(Buffer.from('{"type":"ADDED","obj'))).toThrow(SyntaxError)
})
