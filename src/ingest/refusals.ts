import { SignalboxError } from "../core/errors.ts"
import type { Log } from "../core/log.ts"
import { cleanText } from "../core/text.ts"
import { uuidv7 } from "../core/uuid.ts"
import { failureOf } from "../store/failure.ts"
import type { Refusal } from "../store/refusals.ts"
import type { IngestSource } from "./routes.ts"

export interface RefusalRecorderOptions {
  /** Writes receipts; a second time of the same changes nothing. */
  write: (refusals: readonly Refusal[]) => Promise<void>
  log: Log
  /** Rows a source and second (10); what goes beyond is counted in one row for each code. */
  perSecond?: number
  /** Rows that wait while the database is away (1,000); then all is counted. */
  maxWaiting?: number
  /** Milliseconds between writes (1 s). */
  intervalMs?: number
}

/** Keeps receipts of requests that were refused, without ever holding one up. */
export interface RefusalRecorder {
  /** Notes a request that came to a source at a time and ended in an error. Never throws. */
  note(source: IngestSource, error: unknown, at: Date, seen: Seen): void
  /** Writes what waits, where the database is there. Idempotent. */
  close(): Promise<void>
}

/** What else is told of a refused request. */
export interface Seen {
  /** Bytes of its body, where that was read. */
  bodyBytes?: number | undefined
  /** Whether this process was ending. */
  closing?: boolean
}

const maxReasonChars = 300
const closingAttempts = 3 // for what was sent, for what came since, and one in vain

/**
 * Makes a recorder that writes once a second in one statement. A flood costs a counter: what it leaves
 * in memory and in the database is bounded, and the number of requests is exact.
 */
export function createRefusalRecorder(options: RefusalRecorderOptions): RefusalRecorder {
  const { write, log, perSecond = 10, maxWaiting = 1_000, intervalMs = 1_000 } = options
  let listed: Refusal[] = []
  let counted = new Map<string, Refusal>()
  const listedNow = new Map<string, number>()
  /** Sent, and perhaps written: not touched any more, so that it can be written again. */
  let sent: readonly Refusal[] = []
  let timer: NodeJS.Timeout | undefined
  let flushing: Promise<void> | undefined
  let closed: Promise<void> | undefined

  function note(source: IngestSource, error: unknown, at: Date, seen: Seen): void {
    const { platform, name } = source
    const path = `${platform}/${name}`
    const known = error instanceof SignalboxError ? error : undefined
    const code = known?.code ?? "internal"
    const inSecond = listedNow.get(path) ?? 0
    const reason = cleanText(known?.message ?? "something failed on our side", maxReasonChars)
    if (inSecond < perSecond && listed.length < maxWaiting) {
      listedNow.set(path, inSecond + 1)
      const refusal = refusalOf(source, code, reason, at, seen)
      listed.push(refusal)
      if (refusal.outcome === "rejected") {
        log.warn({ platform, source: name, code, reason }, "a webhook was refused")
      }
    } else {
      const key = `${path} ${code} ${seen.closing === true}`
      const row = counted.get(key)
      if (row === undefined) {
        counted.set(key, refusalOf(source, code, reason, at, { closing: seen.closing === true }))
      } else {
        row.requests++
        row.lastAt = at
      }
    }
    if (closed === undefined) timer ??= setTimeout(() => void flush(), intervalMs)
  }

  function flush(): Promise<void> {
    flushing ??= writeSent().finally(() => {
      flushing = undefined
      clearTimeout(timer)
      const left = sent.length + listed.length + counted.size > 0
      timer = left && closed === undefined ? setTimeout(() => void flush(), intervalMs) : undefined
    })
    return flushing
  }

  async function writeSent(): Promise<void> {
    listedNow.clear()
    if (sent.length === 0) {
      sent = [...listed, ...counted.values()]
      listed = []
      counted = new Map()
    }
    if (sent.length === 0) return
    try {
      await write(sent)
      sent = []
    } catch (error) {
      const failure = failureOf(error)
      if (failure === "away" || failure === "contention") return // the next time
      log.error({ err: error, requests: requestsOf(sent) }, "receipts could not be written")
      sent = []
    }
  }

  async function close(): Promise<void> {
    clearTimeout(timer)
    await flushing
    for (let attempt = 0; attempt < closingAttempts; attempt++) await flush()
    const left = [...sent, ...listed, ...counted.values()]
    if (left.length > 0) log.warn({ requests: requestsOf(left) }, "receipts of refused requests are lost")
  }

  return { note, close: () => (closed ??= close()) }
}

function refusalOf(
  { tenant, platform, name }: IngestSource,
  code: string,
  reason: string,
  at: Date,
  { bodyBytes, closing = false }: Seen,
): Refusal {
  return {
    id: uuidv7(at.getTime()),
    tenant,
    platform,
    source: name,
    outcome: code === "unavailable" ? "unavailable" : "rejected",
    code,
    reason,
    bodyBytes,
    requests: 1,
    receivedAt: at,
    lastAt: at,
    cause: closing ? "hub_down" : "database_away",
  }
}

function requestsOf(refusals: readonly Refusal[]): number {
  return refusals.reduce((sum, { requests }) => sum + requests, 0)
}
