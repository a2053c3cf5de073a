// The list of upstream's conformance tests holds each of them once.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { parse } from 'yaml'
import { readGroups } from '../../conformance/e2e-results.ts'
import { packageRoot } from '../../src/schema/facts.ts'

const UPSTREAM = join(packageRoot(), '../shared/upstream/conformance.yaml')

// The release's own list is beside the repository; without it there is nothing to compare with.
it.skipIf(!existsSync(UPSTREAM))(
  'conformance/e2e.json has every conformance test of the release, once',
  () => {
    const listed = readGroups(join(packageRoot(), 'conformance/e2e.json')).flatMap(({ tests }) => tests)
    const released = parse(readFileSync(UPSTREAM, 'utf8')) as { codename: string }[]
    expect(listed.toSorted()).toEqual(released.map(({ codename }) => codename).sort())
  },
)
