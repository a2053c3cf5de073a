// Several reasons in one message. Follows k8s.io/apimachinery/pkg/util/errors.

/** Each reason once, as upstream's aggregate prints them: "a", or "[a, b]". */
export function aggregate(reasons: readonly string[]): string {
  const distinct = [...new Set(reasons)]
  return distinct.length === 1 ? (distinct[0] as string) : `[${distinct.join(', ')}]`
}
