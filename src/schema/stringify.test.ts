import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseGroupVersion } from '../machinery/gvk.ts'
import { type JsonObject } from '../machinery/json.ts'
import { decoderFor } from './decode.ts'
import { packageRoot } from './facts.ts'
import { storedJson } from './stringify.ts'
import type { StructType } from './type.ts'
import { typeForKind } from './types.ts'

const typeOf = (group: string, kind: string): StructType =>
  typeForKind({ group, version: 'v1', kind }) as StructType
const configMap = typeOf('', 'ConfigMap')
const deployment = typeOf('apps', 'Deployment')

describe('stored JSON', () => {
  it('leaves the version out and escapes as Go does', () => {
    const metadata = { resourceVersion: '5', name: 'n' }
    const object = {
      kind: 'ConfigMap',
      apiVersion: 'v1',
      metadata,
      data: { b: '"\\\n\ud800', a: '<&>\u2028' },
    }
    expect(storedJson(object, configMap).toString()).toBe(
      '{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"n"},"data":{"a":"\\u003c\\u0026\\u003e\\u2028","b":"\\"\\\\\\n\\ud800"}}',
    )
  })

  it('puts keys in order and drops what is empty', () => {
    const object = {
      immutable: false,
      metadata: { uid: 'u', annotations: {}, name: 'n' },
      kind: 'ConfigMap',
      data: {},
    }
    expect(storedJson(object, configMap).toString()).toBe(
      '{"kind":"ConfigMap","metadata":{"name":"n","uid":"u"},"immutable":false}',
    )
  })

  it('stores an empty list as protobuf would give it back, but keeps empty structs', () => {
    const spec = { selector: {}, template: { metadata: {}, spec: { containers: [] } }, strategy: {} }
    expect(storedJson({ metadata: {}, spec, status: {} }, deployment).toString()).toBe(
      '{"metadata":{},"spec":{"selector":{},"template":{"metadata":{},"spec":{"containers":null}},"strategy":{}},"status":{}}',
    )
  })

  it('keeps keys that are names of an object’s own machinery', () => {
    const data = JSON.parse('{"__proto__":"x","constructor":"y"}') as JsonObject
    const text = storedJson({ metadata: { name: 'n' }, data }, configMap).toString()
    expect(text).toBe('{"metadata":{"name":"n"},"data":{"__proto__":"x","constructor":"y"}}')
  })
})

const folder = join(packageRoot(), '../shared/upstream/roundtrip')

describe.skipIf(!existsSync(folder))(
  'fully populated objects (skipped without the round-trip objects)',
  () => {
    const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json')) : []
    it.each(files)('%s comes out as JSON.stringify has it after decoding', (name) => {
      const object = JSON.parse(readFileSync(join(folder, name), 'utf8')) as JsonObject
      const gv = parseGroupVersion(String(object['apiVersion']))
      const type = gv && typeForKind({ ...gv, kind: String(object['kind']) })
      if (!type) return
      const decoded = decoderFor(type)(object).object
      if (decoded.metadata) delete decoded.metadata.resourceVersion
      expect(JSON.parse(storedJson(decoded, type).toString())).toEqual(decoded)
      expect(storedJson(decoded, type).toString()).toBe(
        JSON.stringify(decoded).replace(/[<>&]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`),
      )
    })
  },
)
