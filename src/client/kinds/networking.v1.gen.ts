// Made by `make generate` out of api/openapi; do not edit.
import type { TypedLocalObjectReference } from './core.v1.gen.ts'
import type { Condition, LabelSelector, ListMeta, ObjectMeta } from './meta.v1.gen.ts'

export type HTTPIngressPath = {
  path?: string | undefined
  pathType: string
  backend: IngressBackend
}

export type HTTPIngressRuleValue = {
  paths: HTTPIngressPath[]
}

export type IPAddress = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  spec: IPAddressSpec
}

export type IPAddressList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: IPAddress[]
}

export type IPAddressSpec = {
  parentRef: ParentReference
}

export type IPBlock = {
  cidr: string
  except?: string[] | undefined
}

export type Ingress = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  spec: IngressSpec
  status: IngressStatus
}

export type IngressBackend = {
  service?: IngressServiceBackend | undefined
  resource?: TypedLocalObjectReference | undefined
}

export type IngressClass = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  spec: IngressClassSpec
}

export type IngressClassList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: IngressClass[]
}

export type IngressClassParametersReference = {
  apiGroup?: string | undefined
  kind: string
  name: string
  scope: string
  namespace?: string | undefined
}

export type IngressClassSpec = {
  controller?: string | undefined
  parameters?: IngressClassParametersReference | undefined
}

export type IngressList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: Ingress[]
}

export type IngressLoadBalancerIngress = {
  ip?: string | undefined
  hostname?: string | undefined
  ports?: IngressPortStatus[] | undefined
}

export type IngressLoadBalancerStatus = {
  ingress?: IngressLoadBalancerIngress[] | undefined
}

export type IngressPortStatus = {
  port: number
  protocol: string
  error?: string | undefined
}

export type IngressRule = {
  host?: string | undefined
  http?: HTTPIngressRuleValue | undefined
}

export type IngressRuleValue = {
  http?: HTTPIngressRuleValue | undefined
}

export type IngressServiceBackend = {
  name: string
  port: ServiceBackendPort
}

export type IngressSpec = {
  ingressClassName?: string | undefined
  defaultBackend?: IngressBackend | undefined
  tls?: IngressTLS[] | undefined
  rules?: IngressRule[] | undefined
}

export type IngressStatus = {
  loadBalancer: IngressLoadBalancerStatus
}

export type IngressTLS = {
  hosts?: string[] | undefined
  secretName?: string | undefined
}

export type NetworkPolicy = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  spec: NetworkPolicySpec
}

export type NetworkPolicyEgressRule = {
  ports?: NetworkPolicyPort[] | undefined
  to?: NetworkPolicyPeer[] | undefined
}

export type NetworkPolicyIngressRule = {
  ports?: NetworkPolicyPort[] | undefined
  from?: NetworkPolicyPeer[] | undefined
}

export type NetworkPolicyList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: NetworkPolicy[]
}

export type NetworkPolicyPeer = {
  podSelector?: LabelSelector | undefined
  namespaceSelector?: LabelSelector | undefined
  ipBlock?: IPBlock | undefined
}

export type NetworkPolicyPort = {
  protocol?: string | undefined
  port?: number | string | undefined
  endPort?: number | undefined
}

export type NetworkPolicySpec = {
  podSelector: LabelSelector
  ingress?: NetworkPolicyIngressRule[] | undefined
  egress?: NetworkPolicyEgressRule[] | undefined
  policyTypes?: string[] | undefined
}

export type ParentReference = {
  group?: string | undefined
  resource: string
  namespace?: string | undefined
  name: string
}

export type ServiceBackendPort = {
  name?: string | undefined
  number?: number | undefined
}

export type ServiceCIDR = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  spec: ServiceCIDRSpec
  status: ServiceCIDRStatus
}

export type ServiceCIDRList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: ServiceCIDR[]
}

export type ServiceCIDRSpec = {
  cidrs?: string[] | undefined
}

export type ServiceCIDRStatus = {
  conditions?: Condition[] | undefined
}
