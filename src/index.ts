// What `import … from 'dinghy'` gives.
export { type Cluster, type ClusterOptions, startCluster } from './cmd/cluster.ts'
export { type ApiServerOptions, StartError } from './cmd/options.ts'
