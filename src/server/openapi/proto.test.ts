import { describe, expect, it } from 'vitest'
import { encodeV2 } from './proto-v2.ts'
import { encodeV3 } from './proto-v3.ts'

/** What `protoc --decode_raw` would show: field numbers, and in messages their fields. */
function raw(bytes: Buffer): unknown {
  const fields: unknown[] = []
  for (let at = 0; at < bytes.length;) {
    const tag = varint(bytes, at)
    const value = varint(bytes, tag.end)
    if ((tag.value & 7) === 2) {
      at = value.end + value.value
      const inner = bytes.subarray(value.end, at)
      const isText = /^[ -~]*\n?$/.test(inner.toString('latin1'))
      fields.push([tag.value >> 3, isText ? inner.toString() : raw(inner)])
    } else {
      at = value.end
      fields.push([tag.value >> 3, value.value])
    }
  }
  return fields
}

function varint(bytes: Buffer, from: number): { value: number; end: number } {
  let value = 0
  for (let at = from, scale = 1; ; at++, scale *= 128) {
    const byte = bytes[at] ?? 0
    value += (byte & 127) * scale
    if (byte < 128) return { value, end: at + 1 }
  }
}

describe('encodeV2', () => {
  it('nests as gnostic’s messages do', () => {
    const schema = {
      type: 'object',
      required: ['a'],
      properties: { a: { $ref: '#/x' } },
      'x-kubernetes-map-type': 'atomic',
    }
    expect(raw(encodeV2({ swagger: '2.0', definitions: { T: schema } }))).toEqual([
      [1, '2.0'],
      [
        9,
        [
          [
            1,
            [
              [1, 'T'],
              [
                2,
                [
                  [22, [[1, 'object']]],
                  [19, 'a'],
                  [
                    25,
                    [
                      [
                        1,
                        [
                          [1, 'a'],
                          [2, [[1, '#/x']]],
                        ],
                      ],
                    ],
                  ],
                  [
                    31,
                    [
                      [1, 'x-kubernetes-map-type'],
                      [2, [[2, '"atomic"\n']]],
                    ],
                  ],
                ],
              ],
            ],
          ],
        ],
      ],
    ])
  })

  it('writes long messages and large numbers', () => {
    const description = 'x'.repeat(3 << 20)
    const bytes = encodeV2({ info: { title: description }, definitions: { T: { maxLength: 2 ** 40 } } })
    expect(raw(bytes)).toEqual([
      [2, [[1, description]]],
      [
        9,
        [
          [
            1,
            [
              [1, 'T'],
              [2, [[11, 2 ** 40]]],
            ],
          ],
        ],
      ],
    ])
  })

  it('leaves out what has no place', () => {
    expect(encodeV2({ swagger: 1, parameters: undefined, nope: 'x', __proto__: 'y' })).toEqual(
      Buffer.alloc(0),
    )
    expect(raw(encodeV2({ definitions: { T: { maxLength: -1, minLength: 0.5 } } }))).toEqual([
      [
        9,
        [
          [
            1,
            [
              [1, 'T'],
              [2, ''],
            ],
          ],
        ],
      ],
    ])
  })
})

describe('encodeV3', () => {
  it('tells references from schemas, and false from nothing', () => {
    const schemas = { T: { allOf: [{ $ref: '#/x' }], default: false } }
    expect(raw(encodeV3({ components: { schemas } }))).toEqual([
      [
        5,
        [
          [
            1,
            [
              [
                1,
                [
                  [1, 'T'],
                  [
                    2,
                    [
                      [
                        1,
                        [
                          [26, [[2, [[1, '#/x']]]]],
                          [33, [[2, 0]]],
                        ],
                      ],
                    ],
                  ],
                ],
              ],
            ],
          ],
        ],
      ],
    ])
  })
})
