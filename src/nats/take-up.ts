import type { JetStreamClient, JetStreamManager } from "@nats-io/jetstream"
import type { Log } from "../core/log.ts"
import { SignalboxError } from "../core/errors.ts"
import { findPublication, judgePlace, type Publication } from "../store/log-publications.ts"
import type { LogReader } from "../store/log-reader.ts"
import { resetMessage } from "./message.ts"
import { commonPlace, lastPlace } from "./place.ts"
import type { StreamSettings } from "./settings.ts"
import { ensureStream } from "./stream.ts"
import type { SubjectNames } from "./subject.ts"

export interface TakeUpOptions {
  jsm: JetStreamManager
  js: JetStreamClient
  reader: LogReader
  names: SubjectNames
  settings: StreamSettings
  version: string
  /** A position up to which everything is known to have been published to this stream. */
  floor: number
  log: Log
}

/** Where publishing goes on. */
export interface TakenUp extends Publication {
  /** What was put down of the stream before. */
  remembered: Publication | undefined
  /** What the stream takes in one message. */
  maxBytes: number
}

/**
 * Finds where publishing goes on. An empty stream begins with the first event that the log still has. A
 * stream that tells what the log does not know is of a log that was set back, which the stream is told; or
 * of another database altogether, and then nothing is published: throws `configuration`.
 */
export async function takeUp(options: TakeUpOptions): Promise<TakenUp> {
  const { jsm, js, reader, names, settings, version, floor, log } = options
  const { stream, prefix } = names
  const info = await ensureStream(jsm, names, settings, { version, log })
  const remembered = await reader.use((db) => findPublication(db, stream))
  const last = await lastPlace(jsm, info, remembered)
  const { max_msg_size: largest } = info.config
  const maxBytes = largest > 0 ? largest : Infinity
  if (last === null) return { sequence: 0, position: 0, remembered, maxBytes }
  const judge = (place: { position: number; eventId: string | null }) =>
    reader.use((db) => judgePlace(db, place))
  if ((await judge(last)) !== "other") {
    const position = Math.max(last.position, Math.min(floor, await reader.head()))
    return { sequence: last.sequence, position, remembered, maxBytes }
  }
  const common = await commonPlace(jsm, info, judge)
  if (common === null) {
    throw new SignalboxError(
      "configuration",
      `the stream ${stream} at NATS_URL holds the log of another database: purge or delete it, or choose another SIGNALBOX_NATS_PREFIX`,
    )
  }
  log.error({ stream, from: last.position, to: common }, "the log was set back, and the stream is told so")
  const reset = resetMessage(prefix, common, last.sequence)
  const { seq } = await js.publish(reset.subject, reset.body, {
    headers: reset.headers,
    msgID: reset.id,
    expect: { lastSequence: last.sequence },
  })
  return { sequence: seq, position: common, remembered, maxBytes }
}
