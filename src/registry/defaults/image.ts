// The tag of a container image's name, on which the default of imagePullPolicy depends.
// Follows k8s.io/kubernetes/pkg/util/parsers over github.com/distribution/reference.

const HEX_ID = /^[a-f0-9]{64}$/
const COMPONENT = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?'
const DOMAIN = new RegExp(`^(?:${COMPONENT}(?:\\.${COMPONENT})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`)
const PATH = /^[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*)*$/
const TAG = /^\w[\w.-]{0,127}$/
const DIGEST = /^(?:sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128})$/

/** The registry's own bound on the length of a repository's name. */
const MAX_PATH = 255
/** What the default registry puts before names without a slash. */
const OFFICIAL = 'library/'
const DOCKER_HOSTS = new Set(['docker.io', 'index.docker.io'])

/**
 * The tag of `image`: "latest" where neither tag nor digest is stated; "" for a name with a digest only, and for
 * one that is no image reference at all (validation does not look at the form of image names, so neither fails).
 */
export function imageTag(image: string): string {
  if (HEX_ID.test(image)) return ''
  const at = image.indexOf('@')
  const digest = at < 0 ? '' : image.slice(at + 1)
  if (at >= 0 && !DIGEST.test(digest)) return ''
  const name = at < 0 ? image : image.slice(0, at)
  const slash = name.lastIndexOf('/')
  const colon = name.indexOf(':', slash + 1)
  const tag = colon < 0 ? '' : name.slice(colon + 1)
  if (colon >= 0 && !TAG.test(tag)) return ''
  if (!isRepository(colon < 0 ? name : name.slice(0, colon))) return ''
  return tag || (digest ? '' : 'latest')
}

function isRepository(name: string): boolean {
  const slash = name.indexOf('/')
  const host = slash < 0 ? '' : name.slice(0, slash)
  const named = /[.:]/.test(host) || host === 'localhost' || host !== host.toLowerCase()
  const path = named ? name.slice(slash + 1) : name
  const official = (!named || DOCKER_HOSTS.has(host)) && !path.includes('/')
  if (path.length > MAX_PATH - (official ? OFFICIAL.length : 0)) return false
  return PATH.test(path) && (!named || DOMAIN.test(host))
}
