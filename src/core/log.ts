import { pino, type DestinationStream } from "pino"
import { maskLogLine } from "./mask-log.ts"

/** Structured log: an object of fields, then a sentence. */
export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  /** The same log with fields added to every line. */
  child(fields: Readonly<Record<string, unknown>>): Log
}

/**
 * A log that writes JSON lines to `destination` (standard output) from `level` up; `silent` writes none. Secrets are
 * masked in whole lines as they go out: messages, stacks and causes included, whoever wrote them.
 */
export function createLog(level: string, destination: DestinationStream = pino.destination(1)): Log {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: describeError },
    hooks: { streamWrite: maskLogLine },
  }
  return pino(options, destination)
}

/** A log that goes nowhere. */
export const silentLog: Log = createLog("silent")

/** A log of the user's own, which is told no secrets: errors reach it as plain objects. */
export function maskedLog(log: Log): Log {
  return {
    debug: (fields, message) => log.debug(maskedFields(fields), maskedMessage(message)),
    info: (fields, message) => log.info(maskedFields(fields), maskedMessage(message)),
    warn: (fields, message) => log.warn(maskedFields(fields), maskedMessage(message)),
    error: (fields, message) => log.error(maskedFields(fields), maskedMessage(message)),
    child: (fields) => maskedLog(log.child(maskedFields(fields))),
  }
}

function maskedFields(fields: object): Record<string, unknown> {
  try {
    const line = JSON.stringify(fields, (_, value: unknown) => describeError(value))
    const parsed: unknown = JSON.parse(maskLogLine(line))
    return typeof parsed === "object" && parsed !== null ? { ...parsed } : {}
  } catch {
    return { fields: "not JSON" } // no line is lost to a cycle or a BigInt among its fields
  }
}

function maskedMessage(message: string): string {
  return String(JSON.parse(maskLogLine(JSON.stringify(message))))
}

// What PostgreSQL says beside its message, and it says it with the values of rows.
const withValues = ["detail", "where", "internalQuery"]

function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const described: Record<string, unknown> = { ...pino.stdSerializers.err(error) }
  for (const field of withValues) delete described[field]
  return described
}
