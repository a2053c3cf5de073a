// What upstream refused and accepted, held against the strategies and validations of this room.
import { existsSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { readScenarios, Replay, type Recorded } from './recorded.suite.ts'
import { loadSelectors } from './validation/deviceselectors.ts'
import { loadExpressions } from './validation/expressions.ts'

const ORACLE = new URL('../../../shared/oracle/', import.meta.url)
const FILES = [
  'smoke',
  'patch',
  'delete',
  'dryrun',
  'subresources',
  'validation-meta',
  'validation-kinds',
  'defaults-core',
  'defaults-pods',
  'defaults-workloads',
  'defaults-other',
]

const hasScenarios = (file: string): boolean => existsSync(new URL(`scenarios/${file}.json`, ORACLE))

beforeAll(() => Promise.all([loadSelectors(), loadExpressions()]))

const HAS_ORACLE = existsSync(ORACLE)

describe.skipIf(!HAS_ORACLE)('recorded refusals (needs ../shared)', () => {
  it('are all there', () => expect(FILES.filter((file) => !hasScenarios(file))).toEqual([]))

  // A suite that is skipped is gathered all the same.
  for (const file of HAS_ORACLE ? FILES : []) {
    const { scenarios } = readScenarios(new URL(`scenarios/${file}.json`, ORACLE).pathname)
    const recorded = JSON.parse(
      JSON.stringify(readScenarios(new URL(`recorded/${file}.json`, ORACLE).pathname)),
    ) as Record<string, Recorded[]>
    for (const scenario of scenarios) {
      it(`${file}: ${scenario.name}`, () => {
        const replay = new Replay()
        const expected: unknown[] = []
        const found: unknown[] = []
        scenario.steps.forEach((step, i) => {
          const answer = recorded[scenario.name]?.[i]
          const outcome = answer && replay.step(step, answer)
          if (!outcome) return
          expected.push([outcome.step, ...outcome.expected])
          found.push([outcome.step, ...outcome.found])
        })
        expect(found).toEqual(expected)
      })
    }
  }
})
