// What validation found: causes as clients see them, and the count by which the nearest of several alternatives is told.
// Follows k8s.io/kube-openapi/pkg/validation/validate (Result).
import type { StatusCause } from '../../machinery/status.ts'

/** DEVIATION: upstream has no bound. As many as are worth reading; a hostile object would make an answer many times its size. */
const MAX_CAUSES = 1000

export class Result {
  readonly causes: StatusCause[] = []
  /** How much of the schema was looked at with success. */
  matches = 0

  get isValid(): boolean {
    return this.causes.length === 0
  }

  /** The same is said once. */
  add(cause: StatusCause): void {
    if (this.causes.length >= MAX_CAUSES) return
    if (this.causes.some(({ field, message }) => field === cause.field && message === cause.message)) return
    this.causes.push(cause)
  }

  merge(other: Result): void {
    for (const cause of other.causes) this.add(cause)
    this.matches += other.matches
  }
}
