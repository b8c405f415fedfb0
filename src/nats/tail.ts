import { DeliverPolicy, jetstream, jetstreamManager, type JsMsg } from "@nats-io/jetstream"
import type { NatsConnection } from "@nats-io/transport-node"
import type { Log } from "../core/log.ts"
import type { LogTail, TailItem, TailListener } from "../core/log-tail.ts"
import type { NatsLink } from "./link.ts"
import { placeIn } from "./message.ts"
import { findStream } from "./stream.ts"
import type { SubjectNames } from "./subject.ts"

export interface NatsTailOptions {
  link: NatsLink
  names: SubjectNames
  log: Log
}

/** Messages asked for ahead of time. */
const ahead = 1_000
/** Without a sign of life for twice as long, the consumer is made anew. */
const heartbeatMs = 1_000

/** Whatever of these comes, the consumer is made anew: the database fills what came between. */
const mishaps = new Set([
  "heartbeats_missed",
  "consumer_not_found",
  "consumer_deleted",
  "stream_not_found",
  "ordered_consumer_recreated",
  "no_responders",
])

/**
 * Makes a tail that reads the stream by one ordered consumer. It always begins with what is published from
 * then on: what it missed while NATS was away is the database's to tell.
 */
export function createNatsTail({ link, names, log }: NatsTailOptions): LogTail {
  return {
    follow: (listener) => {
      const stopping = new AbortController()
      let complaint = ""
      const complain = (error: unknown): void => {
        const text = error instanceof Error ? error.message : String(error)
        if (text !== complaint) log.debug({ err: error }, "the stream of NATS cannot be read at present")
        complaint = text
      }
      const read = async (connection: NatsConnection, signal: AbortSignal): Promise<void> => {
        try {
          await readStream(connection, signal, names.stream, listener)
        } finally {
          listener.lost()
        }
      }
      void link.whileConnected(stopping.signal, read, complain)
      return () => stopping.abort()
    },
  }
}

/** Reads until the signal aborts, or until something goes amiss. */
async function readStream(
  connection: NatsConnection,
  signal: AbortSignal,
  stream: string,
  listener: TailListener,
): Promise<void> {
  const jsm = await jetstreamManager(connection, { checkAPI: false })
  const info = await findStream(jsm, stream)
  if (info === undefined) throw new Error(`there is no stream ${stream} yet`)
  const consumer = await jetstream(connection).consumers.get(stream, {
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: info.state.last_seq + 1,
  })
  const messages = await consumer.consume({
    max_messages: ahead,
    idle_heartbeat: heartbeatMs,
    callback: (message) => {
      const item = itemIn(message)
      if (item !== null && !signal.aborted) listener.take(item)
    },
  })
  const end = (): void => void messages.close()
  signal.addEventListener("abort", end, { once: true })
  if (signal.aborted) end()
  try {
    for await (const { type } of messages.status()) if (mishaps.has(type)) break
  } finally {
    signal.removeEventListener("abort", end)
    await messages.close()
    if (!connection.isClosed()) await consumer.delete().catch(() => {}) // it ends by itself after a while
  }
}

function itemIn(message: JsMsg): TailItem | null {
  const place = placeIn(message.headers)
  if (place === null) return null
  const { position, notice, orderKey } = place
  if (notice === null) return { kind: "event", position, json: message.data, orderKey }
  if (notice === "pointer") return { kind: "elsewhere", position }
  if (notice === "reset") return null // the database tells that by itself
  return { kind: "gap", from: fromIn(message), position }
}

function fromIn(message: JsMsg): number {
  const body = message.json<{ from?: unknown }>()
  return Number(body.from)
}
