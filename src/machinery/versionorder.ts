// Which version of a group clients prefer. Follows k8s.io/apimachinery/pkg/version (CompareKubeAwareVersionStrings).

/** Stable before beta before alpha, each from the highest down; names of another form last, by name. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [parseVersion(a), parseVersion(b)]
  if (left === undefined || right === undefined) {
    if (left !== undefined || right !== undefined) return left === undefined ? 1 : -1
    return a < b ? -1 : a > b ? 1 : 0
  }
  return right.level - left.level || right.major - left.major || right.minor - left.minor
}

function parseVersion(version: string): { level: number; major: number; minor: number } | undefined {
  const match = /^v([1-9]\d*)(?:(alpha|beta)([1-9]\d*))?$/.exec(version)
  if (match === null) return undefined
  const level = match[2] === undefined ? 2 : match[2] === 'beta' ? 1 : 0
  return { level, major: Number(match[1]), minor: Number(match[3] ?? 0) }
}
