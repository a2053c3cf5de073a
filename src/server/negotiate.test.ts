import { describe, expect, it } from 'vitest'
import { StatusError } from '../machinery/status.ts'
import { negotiate } from './negotiate.ts'

const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io'
const encodingOf = (header: string | undefined) => negotiate(header, 'object').encoding

function refusal(header: string): string {
  try {
    negotiate(header, 'object')
  } catch (error) {
    if (error instanceof StatusError && error.code === 406) return error.message
  }
  return 'accepted'
}

describe('encodings', () => {
  it.each([
    [undefined, 'json'],
    ['', 'json'],
    ['*/*', 'json'],
    ['application/json', 'json'],
    ['application/yaml', 'yaml'],
    ['application/vnd.kubernetes.protobuf', 'protobuf'],
    ['application/vnd.kubernetes.protobuf,application/json', 'protobuf'],
    ['application/json;q=0.1, application/yaml;q=0.9', 'yaml'],
    ['text/html,application/xhtml+xml,*/*;q=0.8', 'json'],
  ])('%s', (header, expected) => expect(encodingOf(header)).toBe(expected))

  it.each(['text/plain', 'application/xml', 'application/*'])(
    'refuses %s with the list of what there is',
    (header) => {
      expect(refusal(header)).toMatch(/^406: Not Acceptable\n\nAvailable representations: application\/json/)
    },
  )
})

describe('transformations', () => {
  it('takes the first that there is', () => {
    const header = `application/json;as=Table;v=v9;g=meta.k8s.io,${TABLE},application/json`
    expect(negotiate(header, 'object')).toMatchObject({ as: 'Table', asVersion: 'v1' })
  })

  it('falls back to the whole object, as kubectl asks', () => {
    expect(
      negotiate('application/json;as=Odd;v=v1;g=meta.k8s.io,application/json', 'object').as,
    ).toBeUndefined()
  })

  it.each([
    'application/json;as=Odd;v=v1;g=meta.k8s.io',
    'application/json;as=Table;v=v2;g=meta.k8s.io',
    'application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io',
    'application/yaml;stream=watch',
    'application/json;stream=odd',
  ])('refuses %s', (header) =>
    expect(refusal(header)).toMatch(/^only the following media types are accepted/),
  )
})
