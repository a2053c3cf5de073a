// The log: JSON lines on stderr, by pino. It is loaded at the first line that is written, since a quiet start needs none.
import type { LogLevel } from './options.ts'
import { LOG_LEVELS } from './options.ts'

export interface Log {
  error(details: object, message: string): void
  warn(details: object, message: string): void
  info(details: object, message: string): void
  debug(details: object, message: string): void
}

type Line = readonly [LogLevel, object, string]

/** Fields that must never be written, wherever they stand. */
const SECRET_FIELDS = [
  'authorization',
  'token',
  'password',
  'key',
  '*.authorization',
  '*.token',
  '*.password',
  '*.key',
]

export function makeLog(level: LogLevel): Log {
  const threshold = LOG_LEVELS.indexOf(level)
  let sink: Log | undefined
  let loading: Promise<void> | undefined
  const waiting: Line[] = []
  const write = (line: Line): void => {
    if (LOG_LEVELS.indexOf(line[0]) > threshold) return
    if (sink) return sink[line[0]](line[1], line[2])
    waiting.push(line)
    loading ??= load(level).then((made) => {
      sink = made
      for (const [lineLevel, details, message] of waiting.splice(0)) sink[lineLevel](details, message)
    })
  }
  return {
    error: (details, message) => write(['error', details, message]),
    warn: (details, message) => write(['warn', details, message]),
    info: (details, message) => write(['info', details, message]),
    debug: (details, message) => write(['debug', details, message]),
  }
}

async function load(level: LogLevel): Promise<Log> {
  const { default: pino } = await import('pino')
  const logger = pino({ level, redact: SECRET_FIELDS, base: null }, pino.destination({ fd: 2, sync: true }))
  return {
    error: (details, message) => logger.error(details, message),
    warn: (details, message) => logger.warn(details, message),
    info: (details, message) => logger.info(details, message),
    debug: (details, message) => logger.debug(details, message),
  }
}
