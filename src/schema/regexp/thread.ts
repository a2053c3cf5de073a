// The thread for regular expressions that are too large to be worked on beside requests. There is one, which answers one
// question after the other, and goes when nobody asks any more. What does not answer in time, or takes too much memory,
// ends with its thread; the next question gets a new one.
import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'

export interface Question {
  readonly pattern: string
  /** Absent: only what is wrong with the pattern is asked. */
  readonly text?: string
  /** 0: whether it is found at all; else what is found, at most so many (below 0: all). */
  readonly most: number
}

export interface Answer {
  readonly isFound: boolean
  readonly found: readonly string[]
  /** What is wrong with the pattern. */
  readonly fault?: string
}

/**
 * DEVIATION: upstream builds machines of 128 MB beside each other for whoever wants them, and searches with them as long
 * as it takes, even when nobody waits any more.
 */
const MAX_MEMORY_MB = 512
/** What one question may take. */
const MAX_ANSWER_MS = 30_000
/** Questions that wait: each is a request that is worked on, and those are bounded. */
const MAX_WAITING = 1000
/** How long a thread stays that nobody asks: starting one takes some 30 ms. */
const IDLE_MS = 5000

/** Runs in the thread: a machine that was built for one text is kept for the next. */
const PROGRAM = `
const { parentPort, workerData } = require('node:worker_threads')
const { RE2JS, RE2Set } = require(workerData)
let kept = {}
const answer = ({ pattern, text, most }) => {
  if (text === undefined) {
    new RE2Set().add(pattern)
    return { isFound: false, found: [] }
  }
  if (kept.pattern !== pattern) kept = { pattern, machine: RE2JS.compile(pattern) }
  const matcher = kept.machine.matcher(text)
  if (most === 0) return { isFound: matcher.find(), found: [] }
  const found = []
  while ((most < 0 || found.length < most) && matcher.find()) found.push(matcher.group() ?? '')
  return { isFound: found.length > 0, found }
}
parentPort.on('message', (question) => {
  try {
    parentPort.postMessage(answer(question))
  } catch (error) {
    parentPort.postMessage({ isFound: false, found: [], fault: error.message })
  }
})
`

/** There was no answer within the bounds. */
export class NoAnswer extends Error {}

let thread: Worker | undefined
let idle: NodeJS.Timeout | undefined
let waiting = 0
/** The questions before. */
let queue: Promise<unknown> = Promise.resolve()

/** Rejects with NoAnswer after `leftMs`, and where the answer takes more than any may. */
export async function askThread(question: Question, leftMs: number): Promise<Answer> {
  if (waiting >= MAX_WAITING) throw new NoAnswer()
  waiting++
  const until = Date.now() + leftMs
  const mine = queue.then(() => answered(question, Math.min(MAX_ANSWER_MS, until - Date.now())))
  queue = mine.catch(() => undefined)
  try {
    return await mine
  } finally {
    waiting--
    if (waiting === 0) idle = setTimeout(stop, IDLE_MS).unref()
  }
}

function answered(question: Question, ms: number): Promise<Answer> {
  if (ms <= 0) return Promise.reject(new NoAnswer())
  clearTimeout(idle)
  const asked = (thread ??= started())
  return new Promise((resolve, reject) => {
    const done = (): void => {
      clearTimeout(timer)
      asked.off('message', heard).off('error', lost).off('exit', lost)
    }
    const heard = (answer: Answer): void => {
      done()
      resolve(answer)
    }
    const lost = (): void => {
      done()
      // What else it says when it ends is of no use to anybody.
      asked.on('error', () => undefined)
      stop()
      reject(new NoAnswer())
    }
    const timer = setTimeout(lost, ms)
    asked.on('message', heard).on('error', lost).on('exit', lost)
    asked.postMessage(question)
  })
}

function started(): Worker {
  const worker = new Worker(PROGRAM, {
    eval: true,
    workerData: createRequire(import.meta.url).resolve('re2js'),
    resourceLimits: { maxOldGenerationSizeMb: MAX_MEMORY_MB },
  })
  worker.unref()
  return worker
}

function stop(): void {
  void thread?.terminate()
  thread = undefined
}
