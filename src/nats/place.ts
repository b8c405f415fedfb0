import {
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
  type StreamInfo,
} from "@nats-io/jetstream"
import type { PlaceJudgement, Publication } from "../store/log-publications.ts"
import { placeIn, type MessagePlace } from "./message.ts"

/** Up to where a stream has come. */
export interface StreamPlace extends Publication {
  /** Event of the last message that is there; null where it is none, or where no message is left. */
  eventId: string | null
}

/** What the stream was before it was emptied: see `lastPlace`. */
export type Remembered = Publication | undefined

/** How far back messages that are not the publisher's are passed over, or were deleted one by one. */
const lookBack = 200

/**
 * Where a stream stands, by its last message. Null for a stream that has never held one. A stream whose
 * messages have all aged out, or were purged, stands where it was when `remembered` was put down.
 */
export async function lastPlace(
  jsm: JetStreamManager,
  { config: { name }, state }: StreamInfo,
  remembered: Remembered,
): Promise<StreamPlace | null> {
  const { last_seq: sequence, first_seq: first } = state
  if (sequence === 0) return null
  const known = remembered !== undefined && remembered.sequence <= sequence ? remembered : undefined
  for (let seq = sequence; seq >= Math.max(first, 1) && seq > sequence - lookBack; seq--) {
    const place = await placeAt(jsm, name, seq)
    if (place === null) continue
    // What follows it was taken out of the stream, and had been published all the same.
    if (known !== undefined && known.sequence > seq && known.position > place.position) break
    return { sequence, position: place.position, eventId: place.eventId }
  }
  return { sequence, position: known?.position ?? 0, eventId: null }
}

/**
 * The last place that a stream and the log have in common, where what follows in the stream is of another
 * log; null where they have nothing in common at all.
 */
export async function commonPlace(
  jsm: JetStreamManager,
  { config: { name }, state }: StreamInfo,
  judge: (place: MessagePlace) => Promise<PlaceJudgement>,
): Promise<number | null> {
  let low = Math.max(state.first_seq, 1) - 1 // in common, or before the first
  let high = state.last_seq // of another log
  let common: number | null = null
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    const place = await nextPlace(jsm, name, middle, high)
    if (place === null || (await judge(place)) === "other") {
      high = middle
    } else {
      low = place.sequence
      common = place.position
    }
  }
  return common
}

/** The first of the publisher's messages from a number on, before `end`. */
async function nextPlace(
  jsm: JetStreamManager,
  name: string,
  from: number,
  end: number,
): Promise<(MessagePlace & { sequence: number }) | null> {
  for (let sequence = from; sequence < Math.min(end, from + lookBack); sequence++) {
    const place = await placeAt(jsm, name, sequence)
    if (place !== null) return { ...place, sequence }
  }
  return null
}

async function placeAt(jsm: JetStreamManager, name: string, seq: number): Promise<MessagePlace | null> {
  try {
    const message = await jsm.streams.getMessage(name, { seq })
    return message === null ? null : placeIn(message.header)
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === JetStreamApiCodes.NoMessageFound) return null
    throw error
  }
}
