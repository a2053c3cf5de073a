// Regular expressions that strangers write (patterns of definitions, CEL): Go's syntax, in time linear in the text. That
// alone bounds nothing: the time is that of the text times the size of the machine, and a few characters make a machine
// of millions of parts ("a{1000}" a thousand). So what is small is done at once, and what is large in a thread of its
// own, which has as much memory as one regular expression may, and time until its request is over. Others have turns
// meanwhile (../turns.ts). Follows Go's regexp (RE2).
// DEVIATION: of 1,398,101 parts a machine may have, as RE2JS counts them; Go allows 3,355,443.
import { RE2JS, RE2Set } from 're2js'
import { elsewhere, hasTurns, outOfTime, remembered } from '../turns.ts'
import { type Answer, askThread, NoAnswer } from './thread.ts'
import { weightOf } from './weight.ts'

/** Parts of a machine that is built here: some 50 ms. */
const MAX_WEIGHT = 20_000
/** Parts times characters that are worked on here: some 100 ms where it comes to the worst. */
const MAX_STEPS = 3_000_000
/** All parts of the machines that are kept: some 350 bytes each. */
const MAX_KEPT_WEIGHT = 200_000
/** Machines that are kept, however small. */
const MAX_KEPT = 4000
/** Characters of all patterns whose faults are known: those of the largest definition, and some more. */
const MAX_KNOWN_CHARACTERS = 4_000_000

interface Wanted {
  readonly pattern: string
  readonly text: string
  readonly most: number
}

/** What is wrong with a regular expression, in Go's words. */
export class PatternFault extends Error {}

const faults = new Map<string, string | undefined>()
const machines = new Map<string, RE2JS>()
let keptWeight = 0
let knownCharacters = 0

/** What is wrong with a pattern, in Go's words; undefined for a good one. */
export function patternFault(pattern: string): string | undefined {
  if (faults.has(pattern)) return faults.get(pattern)
  return keepFault(pattern, isHeavy(weightOf(pattern)) ? faultElsewhere(pattern) : parse(pattern))
}

const isHeavy = (weight: number): boolean => weight > MAX_WEIGHT && hasTurns()

function keepFault(pattern: string, fault: string | undefined): string | undefined {
  knownCharacters += pattern.length
  if (knownCharacters > MAX_KNOWN_CHARACTERS) {
    faults.clear()
    knownCharacters = pattern.length
  }
  faults.set(pattern, fault)
  return fault
}

/** Looks at the syntax alone: no machine is built. */
function parse(pattern: string): string | undefined {
  return remembered(pattern, 'fault', () => {
    try {
      new RE2Set().add(pattern)
      return undefined
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  })
}

/** The syntax is looked at before anything large is built of it: what has no answer is sound. */
const faultElsewhere = (pattern: string): string | undefined =>
  elsewhere(pattern, 'fault', async (leftMs) => {
    try {
      return (await askThread({ pattern, most: 0 }, leftMs)).fault
    } catch (error) {
      if (error instanceof NoAnswer) return undefined
      throw error
    }
  })

/** Whether the pattern is found anywhere in the text. Throws a PatternFault. */
export const isFound = (pattern: string, text: string): boolean => search({ pattern, text, most: 0 }).isFound

/** What the pattern finds in the text, at most so many; `most` below 0: all. Throws a PatternFault. */
export const findAll = (pattern: string, text: string, most: number): readonly string[] =>
  most === 0 ? [] : search({ pattern, text, most }).found

function search(question: Wanted): Answer {
  const { pattern, text, most } = question
  const known = machines.get(pattern)
  const weight = known ? known.programSize() : weightOf(pattern)
  const isLong = weight * text.length > MAX_STEPS && hasTurns()
  if (!isLong && !isHeavy(weight)) return searchHere(question, known)
  const answer = elsewhere(pattern, `${most} ${text}`, (leftMs) => inTime(askThread(question, leftMs)))
  if (answer.fault !== undefined) throw new PatternFault(answer.fault)
  return answer
}

/** What has no answer is refused as what takes longer than a request may. */
async function inTime(answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer
  } catch (error) {
    throw error instanceof NoAnswer ? outOfTime() : error
  }
}

function searchHere(question: Wanted, known: RE2JS | undefined): Answer {
  const { pattern, text, most } = question
  if (known) return answerOf(known, text, most)
  // Machines that do not fit into what is kept are not built again for each turn.
  return remembered(pattern, `${most} ${text}`, () => answerOf(build(pattern), text, most))
}

function answerOf(machine: RE2JS, text: string, most: number): Answer {
  const matcher = machine.matcher(text)
  if (most === 0) return { isFound: matcher.find(), found: [] }
  const found: string[] = []
  while ((most < 0 || found.length < most) && matcher.find()) found.push(matcher.group() ?? '')
  return { isFound: found.length > 0, found }
}

function build(pattern: string): RE2JS {
  const fault = patternFault(pattern)
  if (fault !== undefined) throw new PatternFault(fault)
  const machine = RE2JS.compile(pattern)
  const weight = machine.programSize()
  if (weight > MAX_KEPT_WEIGHT) return machine
  if (keptWeight + weight > MAX_KEPT_WEIGHT || machines.size >= MAX_KEPT) {
    machines.clear()
    keptWeight = 0
  }
  machines.set(pattern, machine)
  keptWeight += weight
  return machine
}
