import { SignalboxError } from "../../../core/errors.ts"
import { fieldsOf, listOf } from "../../../core/fields.ts"
import type { Note, Notes } from "../../../core/remote.ts"
import { tsOrNull } from "../keys.ts"
import { isNote, noteBlock } from "../own-note.ts"
import { slackApi } from "./client.ts"
import { tsOf } from "./record.ts"

const pageSize = 200
const maxPages = 20

/** Leaves notes in threads, by their keys `slack:thread:T1/C1/1700000000.000100`. */
export const notes: Notes = {
  async leave(access, place, note) {
    const { channel, ts } = threadAt(place)
    const answer = await slackApi(access).call((client) =>
      client.apiCall("chat.postMessage", {
        channel,
        thread_ts: ts,
        text: linkOf(note),
        blocks: [{ type: "section", block_id: noteBlock, text: { type: "mrkdwn", text: linkOf(note) } }],
        unfurl_links: false,
        unfurl_media: false,
      }),
    )
    return tsOrNull(fieldsOf(answer)["ts"]) ?? ""
  },

  async find(access, place, since) {
    const { channel, ts } = threadAt(place)
    const api = slackApi(access)
    const thread = { channel, ts, oldest: tsOf(since), limit: pageSize }
    let cursor = ""
    for (let pages = 0; pages < maxPages; pages++) {
      const given = cursor === "" ? {} : { cursor }
      const answer = await api.call((client) => client.conversations.replies({ ...thread, ...given }))
      const found = listOf(answer.messages).map(fieldsOf).find(isNote)
      if (found !== undefined) return tsOrNull(found["ts"]) ?? ""
      cursor = answer.response_metadata?.next_cursor ?? ""
      if (cursor === "") return null
    }
    throw new SignalboxError(
      "bad_request",
      `${place} is too long to look through for a note left before: ${maxPages} pages have none`,
    )
  },
}

function threadAt(place: string): { channel: string; ts: string } {
  const [, channel, ts] = /^slack:thread:[^/]+\/([A-Za-z0-9]+)\/(\d+\.\d+)$/.exec(place) ?? []
  if (channel === undefined || ts === undefined) {
    throw new SignalboxError("bad_request", `${place} is no thread of Slack's`)
  }
  return { channel, ts }
}

function linkOf({ text, url }: Note): string {
  return `<${url.replaceAll("&", "&amp;").replaceAll("<", "%3C").replaceAll(">", "%3E").replaceAll("|", "%7C")}|${text}>`
}
