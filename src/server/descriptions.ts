// The prose of types and fields, which the build takes from @kubernetes/client-node: for /openapi and table columns.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../schema/facts.ts'
import type { Descriptions } from './openapi/schema.ts'

let texts: WeakRef<Descriptions> | undefined

/** What the build took from client-node; absent before the first build. Kept only while documents are rendered. */
export function readDescriptions(): Descriptions | undefined {
  const known = texts?.deref()
  if (known !== undefined) return known
  const file = join(packageRoot(), 'dist/descriptions.json')
  if (!existsSync(file)) return undefined
  const read = JSON.parse(readFileSync(file, 'utf8')) as Descriptions
  texts = new WeakRef(read)
  return read
}

const told = new Map<string, string>()

/** One field's text ("" where there is none); each is looked up once, so that the whole need not stay in memory. */
export function describeField(definition: string, field: string): string | undefined {
  const key = `${definition} ${field}`
  let text = told.get(key)
  if (text === undefined) {
    text = readDescriptions()?.[definition]?.[field] ?? ''
    told.set(key, text)
  }
  return text
}
