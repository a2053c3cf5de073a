// Services.
// A strategy of this room. Follows pkg/registry/core/service.
import { nameIsDns1035Label } from '../machinery/names.ts'
import type { Strategy } from './strategy.ts'

export const services: Strategy = {
  validateName: nameIsDns1035Label,
  allowCreateOnUpdate: true,
  initialStatus: () => ({ loadBalancer: {} }),
  resetFields: { '': ['status'], status: ['spec'] },
}
