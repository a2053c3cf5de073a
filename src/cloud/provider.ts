// What a cloud is asked by the controllers of this room: balancers for Services, facts about nodes' machines, routes,
// room for claims.
// Follows k8s.io/cloud-provider (cloud.go).
import type {
  LoadBalancerStatus,
  Node,
  NodeAddress,
  PersistentVolume,
  Service,
} from '../client/kinds/core.v1.gen.ts'

export interface CloudProvider {
  readonly name: string
  readonly balancers: Balancers
  readonly instances: Instances
  readonly routes: Routes
  readonly storage: Storage
  /** Lets go of what it holds in this process; the cloud itself stays as it is. */
  stop(): Promise<void>
}

/** Rejections come again, and are told of by an event on the Service. */
export interface Balancers {
  exists(service: Service): Promise<boolean>
  /** Makes it as the Service asks, or changes it; the status says where it is. */
  ensure(service: Service, nodes: readonly Node[]): Promise<LoadBalancerStatus>
  /** The nodes behind it are others now. */
  update(service: Service, nodes: readonly Node[]): Promise<void>
  /** One that is gone already is as well. */
  remove(service: Service): Promise<void>
}

export interface InstanceMetadata {
  /** "cloud://ID" */
  readonly providerId: string
  readonly type: string
  readonly zone: string
  readonly region: string
  /** None: the node's own are left as they are. */
  readonly addresses: readonly NodeAddress[]
}

export interface Instances {
  exists(node: Node): Promise<boolean>
  isShutDown(node: Node): Promise<boolean>
  metadata(node: Node): Promise<InstanceMetadata>
}

/** Where packets to a node's pods go. */
export interface Route {
  /** Given by the provider. */
  readonly name: string
  readonly node: string
  readonly cidr: string
  /** Leads nowhere. */
  readonly blackhole?: boolean
}

export interface Routes {
  list(): Promise<readonly Route[]>
  /** `hint` makes the name unlike others'. */
  create(hint: string, route: Omit<Route, 'name'>): Promise<void>
  remove(route: Route): Promise<void>
}

/** Room for claims. Rejections come again. */
export interface Storage {
  /** As StorageClasses name it. */
  readonly provisioner: string
  /** Makes room under this name; where it is, in the words of a volume. With a node, it may be of use there alone. */
  create(name: string, node: string | undefined): Promise<Partial<PersistentVolume['spec']>>
  /** What is gone already is as well. */
  remove(volume: PersistentVolume): Promise<void>
}
