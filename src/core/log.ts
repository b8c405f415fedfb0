import { pino } from "pino"

/** Structured log: an object of fields, then a sentence. */
export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  /** The same log with fields added to every line. */
  child(fields: Readonly<Record<string, unknown>>): Log
}

/** A log that writes JSON lines to standard output from `level` up; `silent` writes none. */
export function createLog(level: string): Log {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime })
}

/** A log that goes nowhere. */
export const silentLog: Log = createLog("silent")
