// Kubernetes' environment: the language, and every library of the release. Follows
// k8s.io/apiserver/pkg/cel/environment/base.go, up to what new expressions may use in 1.36.
import { addresses } from './addresses.ts'
import { authorizers } from './authorizer.ts'
import { formats } from './formats.ts'
import { lists, optionals } from './lists.ts'
import { functionsOf, type Functions, type Library } from './overload.ts'
import { quantities } from './quantities.ts'
import { regex } from './regex.ts'
import { semvers } from './semver.ts'
import { standard } from './standard.ts'
import { strings } from './strings.ts'
import { times } from './times.ts'
import { urls } from './urls.ts'

const LIBRARIES: readonly Library[] = [
  standard,
  times,
  optionals,
  strings,
  lists,
  regex,
  urls,
  addresses,
  quantities,
  formats,
  semvers,
  authorizers,
]

let functions: Functions | undefined

/** All functions, made at the first call. */
export function kubernetesFunctions(): Functions {
  functions ??= functionsOf(LIBRARIES)
  return functions
}

/** Kubernetes' functions and more. */
export function functionsWith(...more: readonly Library[]): Functions {
  return functionsOf([...LIBRARIES, ...more])
}
