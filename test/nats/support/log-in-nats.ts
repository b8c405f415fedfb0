import { jetstreamManager } from "@nats-io/jetstream"
import { connect } from "@nats-io/transport-node"
import { placeIn, type MessagePlace } from "../../../src/nats/message.ts"
import { readNatsUrl } from "../../../src/nats/settings.ts"
import { findStream } from "../../../src/nats/stream.ts"

/** A message of the stream as an outside consumer finds it. */
export interface StoredMessage extends MessagePlace {
  seq: number
  subject: string
  body: string
}

/** Everything that the stream holds, in its order; empty where there is none. */
export async function storedMessages(url: string, stream = "SIGNALBOX"): Promise<StoredMessage[]> {
  return withNats(url, async (jsm) => {
    const info = await findStream(jsm, stream)
    const found: StoredMessage[] = []
    for (let seq = info?.state.first_seq ?? 1; seq <= (info?.state.last_seq ?? 0); seq++) {
      const message = await jsm.streams.getMessage(stream, { seq })
      if (message === null) continue
      const place = placeIn(message.header) ?? { position: -1, eventId: null, notice: null }
      found.push({ ...place, seq, subject: message.subject, body: Buffer.from(message.data).toString() })
    }
    return found
  })
}

/** Last position in the stream; 0 where there is none. */
export async function lastPublished(url: string, stream = "SIGNALBOX"): Promise<number> {
  return withNats(url, async (jsm) => {
    const info = await findStream(jsm, stream)
    const seq = info?.state.last_seq ?? 0
    if (seq === 0) return 0
    const message = await jsm.streams.getMessage(stream, { seq })
    return placeIn(message?.header)?.position ?? 0
  })
}

/** Runs `body` on a connection of its own. */
export async function withNats<T>(
  url: string,
  body: (jsm: Awaited<ReturnType<typeof jetstreamManager>>) => Promise<T>,
): Promise<T> {
  const connection = await connect({ servers: readNatsUrl(url)?.servers ?? [] })
  try {
    return await body(await jetstreamManager(connection))
  } finally {
    await connection.close()
  }
}
