// Routes of the local cloud: kept in mind alone, since simulated nodes have no network that they could lead through.
// Follows the role of Routes of k8s.io/cloud-provider.
import type { Route, Routes } from '../provider.ts'

export function localRoutes(): Routes {
  const table = new Map<string, Route>()
  return {
    list: () => Promise.resolve([...table.values()]),
    create: (hint, route) => {
      const name = `${hint}-${route.cidr}`
      table.set(name, { name, ...route })
      return Promise.resolve()
    },
    remove: ({ name }) => {
      table.delete(name)
      return Promise.resolve()
    },
  }
}
