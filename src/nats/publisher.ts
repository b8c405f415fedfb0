import { setTimeout as sleep } from "node:timers/promises"
import { jetstream, jetstreamManager, type JetStreamClient } from "@nats-io/jetstream"
import type { NatsConnection } from "@nats-io/transport-node"
import { createWaker } from "../consumers/waker.ts"
import type { Log } from "../core/log.ts"
import type { Database } from "../store/database.ts"
import { openLogReader, type LogReader } from "../store/log-reader.ts"
import { openPublishingRight, savePublication, type Publication } from "../store/log-publications.ts"
import type { NatsLink } from "./link.ts"
import { toMessage, type LogMessage } from "./message.ts"
import type { StreamSettings } from "./settings.ts"
import { serverVersion } from "./stream.ts"
import type { SubjectNames } from "./subject.ts"
import { takeUp } from "./take-up.ts"
import { createWindow } from "./window.ts"

/** Publishes the log to JetStream while it is started, from one process at a time. */
export interface Publisher {
  /** Whether it is this process that publishes. */
  readonly publishing: boolean
  start(): void
  stop(): Promise<void>
}

export interface PublisherOptions {
  link: NatsLink
  database: Pick<Database, "url" | "work">
  names: SubjectNames
  settings: StreamSettings
  log: Log
}

const readBytes = 4 << 20
const windowLimits = { messages: 256, bytes: 8 << 20 }
/** A safety net for hints that are lost, and how often the right to publish is asked for. */
const pollMs = 1_000
/** Least time between two reads: what arrives within goes out together. */
const coalesceMs = 5
const saveEveryMs = 1_000

/**
 * Makes the publisher. Each message says which one it must follow, and JetStream refuses it elsewhere: so
 * whatever dies, and whoever believes that it still has the right to publish, nothing is doubled, left out
 * or out of order. Where the publisher goes on is told by the last message of the stream.
 */
export function createPublisher({ link, database, names, settings, log }: PublisherOptions): Publisher {
  const stopping = new AbortController()
  const { stream, prefix } = names
  let running: Promise<void> | undefined
  let publishing = false
  let complaint = ""
  let announced = false
  /** Told by JetStream to have been there already: what is sent next comes after it. */
  let floor = 0

  function complain(error: unknown): void {
    const text = error instanceof Error ? error.message : String(error)
    if (text === complaint || error instanceof OutOfStep)
      return log.debug({ err: error }, "publishing begins anew")
    complaint = text
    announced = false
    log.warn({ err: error, stream }, "the log cannot be published to NATS at present; it is tried again")
  }

  async function serve(connection: NatsConnection, signal: AbortSignal): Promise<void> {
    const waker = createWaker()
    const lost = new AbortController()
    const either = AbortSignal.any([signal, lost.signal])
    const wake = (): void => waker.wake()
    either.addEventListener("abort", wake)
    const onLost = (error: Error): void => lost.abort(error)
    const right = await openPublishingRight(database.url, stream, onLost)
    let reader: LogReader | undefined
    try {
      while (!(await right.take())) {
        await sleep(pollMs, undefined, { signal: either }).catch(() => {})
        if (either.aborted) return
      }
      reader = await openLogReader({ url: database.url, name: "publisher", onHint: wake, onLost })
      publishing = true
      await publishOn(connection, reader, { waker, signal: either })
    } finally {
      publishing = false
      await Promise.allSettled([reader?.close(), right.close()])
    }
  }

  async function publishOn(
    connection: NatsConnection,
    reader: LogReader,
    { waker, signal }: { waker: ReturnType<typeof createWaker>; signal: AbortSignal },
  ): Promise<void> {
    const js = jetstream(connection)
    const jsm = await jetstreamManager(connection)
    const version = serverVersion(connection)
    const begin = await takeUp({ jsm, js, reader, names, settings, version, floor, log })
    const window = createWindow(windowLimits)
    const maxPayload = Math.min(connection.info?.max_payload ?? 1 << 20, begin.maxBytes)
    let { sequence, position, remembered } = begin
    let confirmed: Publication = begin
    let saved: Publication & { at: number } = { ...begin, at: 0 }
    floor = 0
    if (!announced) log.info({ stream, position }, "publishing the log to NATS from here on")
    announced = true

    async function save(): Promise<void> {
      if (confirmed.sequence === saved.sequence) return
      const place = confirmed
      saved = { ...place, at: performance.now() }
      if (!(await savePublication(database.work, stream, place, remembered)))
        throw new OutOfStep("another process has published since")
      remembered = place
    }

    async function send(message: LogMessage): Promise<void> {
      const place = { sequence: sequence + 1, position: message.position }
      const isRepeat = await publish(js, message, sequence)
      if (isRepeat) {
        floor = place.position
        throw new OutOfStep(`position ${place.position} had been published already`)
      }
      confirmed = place
    }

    let reading = readAhead(reader, position)
    while (!signal.aborted) {
      const readAt = performance.now()
      const page = await reading
      if (page.head < position) throw new OutOfStep("the log was set back")
      const more = page.upTo < page.head
      if (more) reading = readAhead(reader, page.upTo)
      for (const item of page.items) {
        const message = toMessage(item, prefix, maxPayload)
        await window.room(message.body.length)
        window.add(message.body.length, send(message))
        sequence++
        position = message.position
      }
      complaint = ""
      if (performance.now() - saved.at > saveEveryMs) await save()
      if (more) continue
      await window.drained()
      await save()
      await sleep(Math.max(0, coalesceMs - (performance.now() - readAt)))
      if (page.items.length === 0) await waker.sleep(pollMs)
      if (!signal.aborted) reading = readAhead(reader, position)
    }
    await window.drained()
    await save()
  }

  return {
    get publishing() {
      return publishing
    },
    start: () => {
      running ??= link.whileConnected(stopping.signal, serve, complain)
    },
    stop: async () => {
      stopping.abort()
      await running
    },
  }
}

/** Reads on while what was read is sent; a failure is told to whoever awaits it. */
function readAhead(reader: LogReader, position: number): ReturnType<LogReader["read"]> {
  const reading = reader.read(position, readBytes)
  reading.catch(() => {})
  return reading
}

/**
 * Publishes one message behind the one of that sequence; says whether it had been published before. Throws
 * where the stream has gone on without us.
 */
async function publish(js: JetStreamClient, message: LogMessage, after: number): Promise<boolean> {
  const { subject, body, headers, id } = message
  const { seq, duplicate } = await js.publish(subject, body, {
    headers,
    msgID: id,
    expect: { lastSequence: after },
    timeout: 5_000,
  })
  if (!duplicate && seq !== after + 1)
    throw new OutOfStep(`message ${seq} came where ${after + 1} was expected`)
  return duplicate
}

/** The stream or the log is not where it was thought to be: look again. */
class OutOfStep extends Error {}
