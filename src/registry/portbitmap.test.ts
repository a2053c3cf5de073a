// The bitmap of node ports, as upstream's kube-apiserver writes and reads it.
import { describe, expect, it } from 'vitest'
import { PortBitmap, type PortSpan } from './portbitmap.ts'

const SPAN: PortSpan = [30000, 32767]

describe('PortBitmap', () => {
  it('is one big number whose lowest bit is the first port', () => {
    const ports = new PortBitmap(SPAN)
    ports.set(30000)
    ports.set(30009)
    const { range, data } = ports.record()
    expect(range).toBe('30000-32767')
    expect([...Buffer.from(String(data), 'base64')]).toEqual([0b10, 0b1])
  })

  it('reads what it wrote, and what has more or fewer bytes', () => {
    const ports = new PortBitmap(SPAN)
    for (const port of [30000, 31234, 32767]) ports.set(port)
    ports.clear(31234)
    const again = new PortBitmap(SPAN, ports.record())
    expect([30000, 31234, 32767, 32766].map((port) => again.has(port))).toEqual([true, false, true, false])
    const padded = {
      ...ports.record(),
      data: Buffer.concat([Buffer.alloc(400), Buffer.from([4])]).toString('base64'),
    }
    expect(new PortBitmap(SPAN, padded).has(30002)).toBe(true)
  })

  it('knows nothing of ports outside, and of records of another range', () => {
    const ports = new PortBitmap(SPAN)
    ports.set(29999)
    ports.set(40000)
    expect(ports.has(29999)).toBe(false)
    expect(ports.has(40000)).toBe(false)
    expect(ports.record()['data']).toBe('')
    ports.set(30000)
    expect(new PortBitmap([30000, 30100], ports.record()).has(30000)).toBe(false)
  })
})
