// Names that the server makes (generateName, uid) and the name rules that kinds choose from.
// Follows k8s.io/apiserver/pkg/storage/names and k8s.io/apimachinery/pkg/api/validation.
import { randomUUID } from 'node:crypto'
import {
  dns1035LabelErrors,
  dns1123LabelErrors,
  dns1123SubdomainErrors,
  pathSegmentErrors,
} from './validation.ts'

/** No vowels, so that no words appear; no digits that look like letters. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789'
const SUFFIX_LENGTH = 5
/** A generated name is a DNS label, whatever its kind would allow. */
const MAX_NAME_LENGTH = 63
const MAX_BASE_LENGTH = MAX_NAME_LENGTH - SUFFIX_LENGTH

/** `length` random characters of the alphabet that generated names use. */
export function randomSuffix(length = SUFFIX_LENGTH): string {
  let text = ''
  for (let i = 0; i < length; i++) text += ALPHABET[Math.floor(Math.random() * ALPHABET.length)]
  return text
}

/** The name for a `generateName`: the base, cut so that all fits in 63 bytes, and five random characters. */
export function generateName(base: string): string {
  if (base.length * 3 <= MAX_BASE_LENGTH || Buffer.byteLength(base) <= MAX_BASE_LENGTH) {
    return base + randomSuffix()
  }
  return Buffer.from(base).subarray(0, MAX_BASE_LENGTH).toString() + randomSuffix()
}

/** A fresh `metadata.uid`. */
export const newUid = (): string => randomUUID()

/**
 * What is wrong with a name, as messages. `prefix`: the text is a `generateName`, something will follow it.
 * The shape of `Strategy.validateName`.
 */
export type NameRule = (name: string, prefix: boolean) => string[]

/** A dash at the end of a prefix is good: upstream puts a letter over the last two characters before it looks. */
const masked = (name: string, prefix: boolean): string =>
  prefix && name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name

/** Most kinds. */
export const nameIsDnsSubdomain: NameRule = (name, prefix) => [
  ...dns1123SubdomainErrors(masked(name, prefix)),
]
/** The same of kinds whose longest name upstream counts in bytes, in its words. */
export const nameIsDnsSubdomainOfBytes: NameRule = (name, prefix) => [
  ...dns1123SubdomainErrors(masked(name, prefix), 'bytes'),
]
/** Namespaces and others whose name is one DNS label. */
export const nameIsDnsLabel: NameRule = (name, prefix) => [...dns1123LabelErrors(masked(name, prefix))]
/** Services. */
export const nameIsDns1035Label: NameRule = (name, prefix) => [...dns1035LabelErrors(masked(name, prefix))]
/** RBAC's kinds, whose names need only fit in a URL's path. */
export const nameIsPathSegment: NameRule = (name, prefix) => [...pathSegmentErrors(name, prefix)]
