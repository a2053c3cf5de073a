// Where volumes are attached and from where they go.
import { describe, expect, it } from 'vitest'
import { uniqueVolumeName } from '../../client/csivolumes.ts'
import type { Node, PersistentVolume, Pod } from '../../client/kinds/core.v1.gen.ts'
import type { VolumeAttachment } from '../../client/kinds/storage.v1.gen.ts'
import {
  attaches,
  attachmentName,
  detaches,
  MAX_UNMOUNT_MS,
  outcome,
  type VolumeState,
} from './attachments.ts'

const csi = { driver: 'd.example.com', volumeHandle: 'h' }
const volume = (...accessModes: string[]): PersistentVolume =>
  ({ metadata: { name: 'v' }, spec: { csi, accessModes } }) as unknown as PersistentVolume
const pod = (name: string, namespace = 'n'): Pod => ({ metadata: { namespace, name } }) as Pod
const attachment = (nodeName: string, more: object = {}): VolumeAttachment =>
  ({ metadata: { name: `to-${nodeName}`, ...more }, spec: { nodeName } }) as VolumeAttachment
const node = (ready: string, volumesInUse: string[] = [], taints: object[] = []): Node =>
  ({
    metadata: {},
    spec: { taints },
    status: { volumesInUse, conditions: [{ type: 'Ready', status: ready }] },
  }) as unknown as Node
const state = (more: Partial<VolumeState> = {}): VolumeState => ({
  volume: volume('ReadWriteOnce'),
  pods: new Map(),
  attachments: [],
  node: () => node('True'),
  unwantedMs: () => 0,
  isForced: true,
  ...more,
})
const IN_USE = ['kubernetes.io/csi/d.example.com^h']
const OUT_OF_SERVICE = [{ key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' }]

it('names things as drivers and kubelets do', () => {
  expect(uniqueVolumeName(csi)).toBe(IN_USE[0])
  expect(attachmentName({ driver: 'b', volumeHandle: 'a' }, 'c')).toBe(
    'csi-ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  )
})

describe('detaching', () => {
  it.each<[string, Partial<VolumeState>, (number | undefined)[]]>([
    ['what is needed', { pods: new Map([['a', [pod('p')]]]) }, []],
    ['what goes already', { attachments: [attachment('a', { deletionTimestamp: 'now' })] }, []],
    ['what is not mounted', {}, [undefined]],
    ['what is mounted', { node: () => node('True', IN_USE) }, [Infinity]],
    [
      'what is mounted on a silent node',
      { node: () => node('Unknown', IN_USE), unwantedMs: () => 1000 },
      [MAX_UNMOUNT_MS - 1000],
    ],
    [
      'what was mounted for too long there, where nobody forces anything',
      { node: () => node('Unknown', IN_USE), unwantedMs: () => MAX_UNMOUNT_MS, isForced: false },
      [Infinity],
    ],
    [
      'what was mounted for too long there',
      { node: () => node('Unknown', IN_USE), unwantedMs: () => MAX_UNMOUNT_MS },
      [undefined],
    ],
    [
      'what is mounted on a node out of service',
      { node: () => node('Unknown', IN_USE, OUT_OF_SERVICE) },
      [undefined],
    ],
    ['what is on a node that is gone', { node: () => undefined }, [MAX_UNMOUNT_MS]],
  ])('%s', (_what, more, waits) => {
    const found = detaches(state({ attachments: [attachment('a')], ...more }))
    expect(found.map(({ waitMs }) => waitMs)).toEqual(waits)
  })
})

describe('attaching', () => {
  const pods = new Map([
    ['a', [pod('p')]],
    ['b', [pod('q'), pod('r', 'm')]],
  ])
  const refusal = (of: Partial<VolumeState>) =>
    attaches(state(of)).map((one) => `${one.node}: ${one.refusal ?? 'yes'}`)
  it.each<[string, Partial<VolumeState>, string[]]>([
    ['nothing', {}, []],
    ['to a node', { pods: new Map([['a', [pod('p')]]]) }, ['a: yes']],
    ['to several', { pods, volume: volume('ReadWriteMany') }, ['a: yes', 'b: yes']],
    ['to all who ask, where nothing is said', { pods, volume: volume() }, ['a: yes', 'b: yes']],
    ['to the first', { pods }, ['a: yes', 'b: Volume is already used by pod(s) p']],
    [
      'to the other',
      { pods, attachments: [attachment('b')] },
      ['a: Volume is already used by pod(s) q and 1 pod(s) in different namespaces'],
    ],
    [
      'not from afar',
      {
        pods: new Map([
          ['a', [pod('p', 'x')]],
          ['b', [pod('q')]],
        ]),
        attachments: [attachment('b')],
      },
      ['a: Volume is already used by 1 pod(s) in different namespaces'],
    ],
    [
      'not while nobody uses it elsewhere',
      { pods: new Map([['a', [pod('p')]]]), attachments: [attachment('b')] },
      ["a: Volume is already exclusively attached to one node and can't be attached to another"],
    ],
  ])('%s', (_what, of, wanted) => {
    expect(refusal(of)).toEqual(wanted)
  })
})

it('tells once how it went', () => {
  const with_ = (status: object): VolumeAttachment => ({ ...attachment('a'), status }) as VolumeAttachment
  const failed = with_({ attached: false, attachError: { message: 'no' } })
  expect(outcome(failed, attachment('a'), 'v')).toEqual({
    type: 'Warning',
    reason: 'FailedAttachVolume',
    message: 'AttachVolume.Attach failed for volume "v" : no',
  })
  expect(outcome(failed, failed, 'v')).toBe(undefined)
  expect(outcome(with_({ attached: true }), failed, 'v')?.reason).toBe('SuccessfulAttachVolume')
  expect(outcome(with_({ attached: true }), with_({ attached: true }), 'v')).toBe(undefined)
})
