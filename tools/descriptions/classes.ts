// Which class of client-node is which definition: V1Pod is io.k8s.api.core.v1.Pod; where several groups have the
// name, the group stands before the version (CoreV1Event, EventsV1Event).

const CLASS = /^(.*?)(V[0-9]+(?:(?:alpha|beta)[0-9]+)?)([A-Z].*)$/

/** Definition to class, for those of `definitions` that have one. */
export function definitionsOfClasses(
  definitions: ReadonlySet<string>,
  classes: ReadonlySet<string>,
): Map<string, string> {
  const found = new Map<string, string>()
  const byName = new Map<string, string[]>()
  for (const definition of definitions) {
    const [group = '', version = '', name = ''] = definition.split('.').slice(-3)
    const long = `${capital(group)}${capital(version)}${name}`
    if (classes.has(long)) found.set(definition, long)
    else byName.set(`${version}.${name}`, [...(byName.get(`${version}.${name}`) ?? []), definition])
  }
  for (const name of classes) {
    const [, prefix, version = '', kind = ''] = CLASS.exec(name) ?? []
    const candidates = byName.get(`${version.toLowerCase()}.${kind}`) ?? []
    const [only] = candidates
    if (prefix === '' && only !== undefined && candidates.length === 1) found.set(only, name)
  }
  const info = 'io.k8s.apimachinery.pkg.version.Info'
  if (definitions.has(info) && classes.has('VersionInfo')) found.set(info, 'VersionInfo')
  return found
}

function capital(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1)
}
