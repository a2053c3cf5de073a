import { describe, expect, it } from 'vitest'
import { listIsNoObject, objectIsNoList, partialList, partialObject } from './partial.ts'

const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a', uid: 'u' }, spec: { nodeName: 'n' } }

describe('partial objects', () => {
  it('keep the metadata and nothing else', () => {
    expect(partialObject(pod, 'v1')).toEqual({
      kind: 'PartialObjectMetadata',
      apiVersion: 'meta.k8s.io/v1',
      metadata: { name: 'a', uid: 'u' },
    })
    expect(partialList([pod], { resourceVersion: '5' }, 'v1beta1')).toEqual({
      kind: 'PartialObjectMetadataList',
      apiVersion: 'meta.k8s.io/v1beta1',
      metadata: { resourceVersion: '5' },
      items: [partialObject(pod, 'v1beta1')],
    })
  })

  it('show an empty list as upstream does', () => {
    expect(partialList([], {}, 'v1').items).toBeNull()
  })

  it('refuse the other shape with its Go type', () => {
    const refusal = listIsNoObject({ group: '', kind: 'ConfigMapList' })
    expect(refusal.code).toBe(406)
    expect(refusal.message).toBe(
      'you requested PartialObjectMetadata, but the requested object is a list (*core.ConfigMapList)',
    )
    expect(objectIsNoList({ group: 'rbac.authorization.k8s.io', kind: 'Role' }).message).toMatch(
      /\(\*rbac\.Role\)$/,
    )
  })
})
