// What a process of e2e.test says of the tests that it ran: its JUnit report.
import { existsSync, readFileSync } from 'node:fs'
import type { TestResult } from './e2e-results.ts'

/**
 * The results of those of these tests that the report has; a test that was cut short is not among them, as others of its
 * process may have been the cause. Others in the report are the suite's set-up and every test that was not meant.
 */
export function readReport(file: string, names: readonly string[]): Map<string, TestResult> {
  const found = new Map<string, TestResult>()
  if (!existsSync(file)) return found
  const asked = new Set(names)
  for (const [, title = '', status = '', seconds = '0', rest = ''] of readFileSync(file, 'utf8').matchAll(
    CASE,
  )) {
    const text = plain(title)
    // Its labels stand behind the name.
    const name = [text, text.replace(/ \[[^\]]*\]$/, '')].find((one) => asked.has(one))
    const result = name && resultOf(status, rest)
    if (name && result) found.set(name, { ...result, seconds: Number(seconds) })
  }
  return found
}

const CASE = /<testcase name="\[It\] ([^"]*)" [^>]*?status="(\w+)" time="([\d.]+)"[^>]*>([^]*?)<\/testcase>/g

const CUT_SHORT = new Set(['interrupted', 'aborted', 'timedout'])

function resultOf(status: string, rest: string): Pick<TestResult, 'outcome' | 'message'> | undefined {
  if (status === 'passed') return { outcome: 'passed' }
  // Those that were not meant are skipped without a word.
  const why = /\[SKIPPED\] ([^]*?)&#xA;/.exec(rest)?.[1]
  if (status === 'skipped') return why === undefined ? undefined : { outcome: 'skipped', message: plain(why) }
  if (CUT_SHORT.has(status)) return undefined
  const message = /<(?:failure|error) message="([^"]*)"/.exec(rest)?.[1]
  return { outcome: 'failed', message: plain(message ?? status) }
}

const plain = (text: string): string =>
  text
    .replace(/&#x([0-9A-F]+);|&#(\d+);/gi, (_, hex: string | undefined, decimal: string) =>
      String.fromCodePoint(hex === undefined ? Number(decimal) : parseInt(hex, 16)),
    )
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
