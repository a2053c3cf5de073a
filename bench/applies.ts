// Server-side apply as tools do it again and again: each apply changes the replicas of one of a few Deployments.
import { type Client, parallel } from './client.ts'

const CONCURRENCY = 8

/** How many applies a second. */
export async function applies(
  client: Client,
  { count, namespace }: { readonly count: number; readonly namespace: string },
): Promise<{ readonly operations: number; readonly perSecond: number }> {
  const names = Array.from({ length: CONCURRENCY }, (_, i) => `applied-${i}`)
  const perSecond = await parallel(count, CONCURRENCY, (i) => {
    const name = names[i % names.length] as string
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments/${name}?fieldManager=bench&force=true`
    const body = JSON.stringify(deployment(name, 1 + (Math.floor(i / names.length) % 9)))
    return client.call({ method: 'PATCH', path, type: 'application/apply-patch+yaml', body })
  })
  return { operations: count, perSecond }
}

function deployment(name: string, replicas: number): object {
  const labels = { app: name }
  const container = {
    name: 'app',
    image: 'nginx:1.29',
    ports: [{ containerPort: 80, protocol: 'TCP' }],
    resources: { requests: { cpu: '100m', memory: '128Mi' } },
    env: [{ name: 'A', value: 'b' }],
  }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, labels },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [container] } },
    },
  }
}
