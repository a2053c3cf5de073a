// Nodes that have the pod's images already. Follows k8s.io/kubernetes/pkg/scheduler/framework/plugins/imagelocality.
import { MAX_SCORE, type Plugin } from '../plugin.ts'

const MB = 1024 * 1024
const MIN_BYTES = 23 * MB
const MAX_BYTES_PER_CONTAINER = 1000 * MB

export const imageLocality: Plugin = {
  name: 'ImageLocality',
  score: {
    weight: 1,
    prepare: ({ pod }, cluster) => {
      const { initContainers = [], containers } = pod.spec
      const images = [...initContainers, ...containers].map(({ image = '' }) => normalized(image))
      const total = cluster.nodes.length
      const known = images.map((name) => ({ name, spread: cluster.nodesWithImage(name) / total }))
      if (known.every(({ spread }) => spread === 0)) return undefined
      const max = MAX_BYTES_PER_CONTAINER * images.length
      return {
        score: (node) => {
          const sum = known.reduce(
            (all, { name, spread }) => all + Math.trunc((node.images.get(name) ?? 0) * spread),
            0,
          )
          const bytes = Math.min(Math.max(sum, MIN_BYTES), max)
          return Math.trunc((MAX_SCORE * (bytes - MIN_BYTES)) / (max - MIN_BYTES))
        },
      }
    },
  },
}

/** A name without a tag means the latest. */
const normalized = (name: string): string =>
  name.lastIndexOf(':') <= name.lastIndexOf('/') ? `${name}:latest` : name
