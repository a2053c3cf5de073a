// How a plugin words its refusal. Follows k8s.io/apiserver/pkg/admission/errors.go.
import { forbidden, type StatusError } from '../machinery/status.ts'
import type { AdmissionAttributes } from './plugin.ts'

/** 403 `pods "a" is forbidden: why`; an object without a name yet is called by what its name will begin with. */
export function forbid(attributes: AdmissionAttributes, why: string): StatusError {
  const { resource, object } = attributes
  const metadata = object?.metadata
  const name = attributes.name || metadata?.name || metadata?.generateName || 'Unknown'
  return forbidden({ group: resource.group, resource: resource.name }, name, why)
}
