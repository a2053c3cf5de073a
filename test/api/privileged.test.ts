// --allow-privileged=false: no container may be privileged, in pods and in what makes pods.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startCluster, type Cluster } from '../../src/cmd/cluster.ts'
import { ApiClient } from './client.ts'

const container = { name: 'c', image: 'i', securityContext: { privileged: true, runAsUser: -1 } }
const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p' },
  spec: { automountServiceAccountToken: false, containers: [container] },
}
const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [container] } }
const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'd' },
  spec: { selector: { matchLabels: { a: 'b' } }, template },
}
const job = {
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  metadata: { name: 'j' },
  spec: {
    schedule: '@daily',
    jobTemplate: { spec: { template: { spec: { containers: [container], restartPolicy: 'Never' } } } },
  },
}

let cluster: Cluster
let client: ApiClient
beforeAll(async () => {
  cluster = await startCluster({ allowPrivileged: false, disableAdmissionPlugins: ['ServiceAccount'] })
  client = new ApiClient(cluster)
})
afterAll(async () => {
  client.close()
  await cluster.stop()
})

describe('a server that allows no privileged containers', () => {
  it.each([
    ['/api/v1/namespaces/default/pods', pod, 'spec'],
    ['/apis/apps/v1/namespaces/default/deployments', deployment, 'spec.template.spec'],
    ['/apis/batch/v1/namespaces/default/cronjobs', job, 'spec.jobTemplate.spec.template.spec'],
  ])('refuses them at %s, before the other faults of the container', async (path, body, spec) => {
    const reply = await client.ask('POST', path, { body })
    expect(reply.status).toBe(422)
    expect(reply.body.details.causes).toEqual([
      {
        reason: 'FieldValueForbidden',
        message: 'Forbidden: disallowed by cluster policy',
        field: `${spec}.containers[0].securityContext.privileged`,
      },
      expect.objectContaining({ field: `${spec}.containers[0].securityContext.runAsUser` }),
    ])
  })

  it('takes those that say that they are not', async () => {
    const plain = { name: 'c', image: 'i', securityContext: { privileged: false } }
    const body = { ...pod, spec: { automountServiceAccountToken: false, containers: [plain] } }
    expect((await client.ask('POST', '/api/v1/namespaces/default/pods', { body })).status).toBe(201)
  })
})
