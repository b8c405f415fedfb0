import {
  DeliverPolicy,
  jetstreamManager,
  type JetStreamClient,
  type JetStreamManager,
} from "@nats-io/jetstream"
import type { NatsConnection } from "@nats-io/transport-node"
import { silentLog } from "../../src/core/log.ts"
import { createNatsLink } from "../../src/nats/link.ts"
import { placeIn } from "../../src/nats/message.ts"
import { createPublisher } from "../../src/nats/publisher.ts"
import type { NatsSettings } from "../../src/nats/settings.ts"
import { findStream } from "../../src/nats/stream.ts"
import { subjectNames } from "../../src/nats/subject.ts"
import { createWindow } from "../../src/nats/window.ts"
import type { Database } from "../../src/store/database.ts"
import { openLogReader } from "../../src/store/log-reader.ts"
import { toEntry } from "../../src/streaming/entry.ts"
import { toTailEntry } from "../../src/streaming/tail-entry.ts"

/** What a case works on: a log with so many events, and a NATS server. */
export interface NatsCase {
  database: Database
  connection: NatsConnection
  js: JetStreamClient
  manager: JetStreamManager
  settings: NatsSettings
  events: number
}

/** Something that is timed, and what comes before it. */
interface TimedCase {
  prepare(setting: NatsCase): Promise<void>
  play(setting: NatsCase): Promise<void>
}

const names = subjectNames(`signalbox-bench-${process.pid}`)
const bare = subjectNames(`signalbox-bare-${process.pid}`)

/** The publisher, from its start until the stream holds the whole log. */
export const publisher: TimedCase = {
  prepare: ({ manager }) => remove(manager, names.stream),
  play: async ({ database, manager, settings, events }) => {
    const link = createNatsLink({ address: settings.address, log: silentLog })
    const one = createPublisher({ link, database, names, settings, log: silentLog })
    link.start()
    one.start()
    while (((await findStream(manager, names.stream))?.state.last_seq ?? 0) < events) {
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    await one.stop()
    await link.stop()
  },
}

/** The client of NATS with messages of the same size, as many under way as the publisher has. */
export const barePublish: TimedCase & { clear(connection: NatsConnection): Promise<void> } = {
  prepare: async ({ manager }) => {
    await remove(manager, bare.stream)
    await manager.streams.add({ name: bare.stream, subjects: [`${bare.prefix}.>`] })
  },
  play: async ({ js, manager, events }) => {
    const [first] = await messagesIn(js, 1)
    const body = first ?? ""
    const window = createWindow({ messages: 256, bytes: 8 << 20 })
    for (let n = 0; n < events; n++) {
      await window.room(body.length)
      window.add(body.length, publishBare(js, body, n))
    }
    await window.drained()
    await remove(manager, bare.stream)
  },
  clear: async (connection) => {
    const manager = await jetstreamManager(connection)
    await remove(manager, bare.stream)
    await remove(manager, names.stream)
  },
}

/** What the feed does with each event of the database: read, mask, render. */
export const fromDatabase: TimedCase = {
  prepare: async () => {},
  play: async ({ database, events }) => {
    const reader = await openLogReader({
      name: "bench",
      url: database.url,
      onHint: () => {},
      onLost: () => {},
    })
    for (let position = 0; position < events;) {
      const page = await reader.read(position, 4 << 20)
      for (const item of page.items) toEntry(item).frame()
      position = page.upTo
    }
    await reader.close()
  },
}

/** What the feed does with each event of NATS. */
export const fromNats: TimedCase = {
  prepare: async () => {},
  play: async ({ js, events }) => {
    await messagesIn(js, events, (position, json) => toTailEntry({ kind: "event", position, json })?.frame())
  },
}

async function publishBare(js: JetStreamClient, body: string, n: number): Promise<void> {
  await js.publish(`${bare.prefix}.event`, body, { msgID: String(n) })
}

/** Reads so many messages of the publisher's stream; answers their bodies where nobody else takes them. */
async function messagesIn(
  js: JetStreamClient,
  count: number,
  take?: (position: number, json: Uint8Array) => void,
): Promise<string[]> {
  const found: string[] = []
  const consumer = await js.consumers.get(names.stream, { deliver_policy: DeliverPolicy.All })
  const { promise, resolve } = Promise.withResolvers<void>()
  let left = count
  const messages = await consumer.consume({
    max_messages: 1_000,
    callback: (message) => {
      if (take === undefined) found.push(message.string())
      else take(placeIn(message.headers)?.position ?? 0, message.data)
      if (--left === 0) resolve()
    },
  })
  await promise
  await messages.close()
  await consumer.delete()
  return found
}

async function remove(manager: JetStreamManager, stream: string): Promise<void> {
  if ((await findStream(manager, stream)) !== undefined) await manager.streams.delete(stream)
}
