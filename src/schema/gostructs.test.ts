// Objects as upstream's own structs: the expected texts are those of kube-apiserver 1.36.3.
import { describe, expect, it } from 'vitest'
import { indentedLines, sameStruct, structDiff, structText } from './gostructs.ts'

describe('structText', () => {
  it('has every field under its Go name, absent ones too', () => {
    expect(structText('core.Toleration', { key: 'a', operator: 'Exists' })).toBe(
      '{"Key":"a","Operator":"Exists","Value":"","Effect":"","TolerationSeconds":null}',
    )
    expect(structText('core.ResourceRequirements', undefined)).toBe(
      '{"Limits":null,"Requests":null,"Claims":null}',
    )
  })

  it('puts the fields of embedded structs in their place', () => {
    expect(structText('core.Volume', { name: 'v', emptyDir: {} })).toMatch(
      /^\{"Name":"v","HostPath":null,"EmptyDir":\{"Medium":"","SizeLimit":null\},/,
    )
  })

  it('writes types of API machinery as they are served', () => {
    const selector = { matchLabels: { b: '1', a: '2' } }
    const spec = { accessModes: ['ReadWriteOnce'], selector }
    expect(structText('core.PersistentVolumeClaimSpec', spec)).toContain(
      '"Selector":{"matchLabels":{"a":"2","b":"1"}}',
    )
    const template = { metadata: { labels: { a: 'b' } }, spec: {} }
    expect(structText('core.PersistentVolumeClaimTemplate', template)).toMatch(
      /^\{"labels":\{"a":"b"\},"Spec":/,
    )
    expect(structText('core.PersistentVolumeClaimTemplate', { spec: {} })).toMatch(/^\{"Spec":/)
  })

  it('sorts maps by the bytes of their keys and escapes as Go does', () => {
    expect(structText('map string', { '10': 'x', '9': '<&>', __proto__x: '' })).toBe(
      '{"10":"x","9":"\\u003c\\u0026\\u003e","__proto__x":""}',
    )
  })

  it('knows no lists from empty ones in texts, not in comparisons', () => {
    const [none, empty] = [{ nameservers: undefined as unknown as null }, { nameservers: [] }]
    expect(structText('core.PodDNSConfig', none)).toContain('"Nameservers":null')
    expect(structText('core.PodDNSConfig', empty)).toContain('"Nameservers":[]')
    expect(sameStruct('core.PodDNSConfig', none, empty)).toBe(true)
    expect(sameStruct('*core.PodDNSConfig', undefined, {})).toBe(false)
  })

  it('refuses a type that it does not know', () => {
    expect(() => structText('core.Nothing', {})).toThrow('core.Nothing is not known')
  })
})

describe('structDiff', () => {
  it('is a unified diff of the indented structs', () => {
    const [old, now] = [{ mountPath: '/a' }, { mountPath: '/b' }].map((mount) => ({ name: 'v', ...mount }))
    expect(structDiff('core.VolumeMount', old, now)).toBe(
      [
        '@@ -2,7 +2,7 @@',
        '  "Name": "v",',
        '  "ReadOnly": false,',
        '  "RecursiveReadOnly": null,',
        '- "MountPath": "/a",',
        '+ "MountPath": "/b",',
        '  "SubPath": "",',
        '  "MountPropagation": null,',
        '  "SubPathExpr": ""',
        '',
      ].join('\n'),
    )
  })

  it('leaves empty lists and objects on their line', () => {
    expect(indentedLines('{"a":[],"b":{},"c":[1,{"d":"e: {},["}]}')).toEqual([
      '{',
      ' "a": [],',
      ' "b": {},',
      ' "c": [',
      '  1,',
      '  {',
      '   "d": "e: {},["',
      '  }',
      ' ]',
      '}',
    ])
  })
})
