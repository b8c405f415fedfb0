import type { Speaker } from "../../../src/actions/leave-note.ts"
import { systemClock } from "../../../src/core/clock.ts"
import { silentLog } from "../../../src/core/log.ts"
import { slack } from "../../../src/platforms/slack/index.ts"
import type { NoteWish } from "../../../src/store/timeline-notes.ts"

/** What a process of its own is told to do. */
export interface NoteTask {
  databaseUrl: string
  slackUrl: string
  wish: NoteWish
  holdMs: number
}

/** Speaks to a Slack at that address. */
export async function speakerTo(slackUrl: string): Promise<Speaker> {
  const notes = (await slack.calls?.load())?.notes
  if (notes === undefined) throw new Error("Slack takes no notes")
  return {
    notes,
    access: {
      apiUrl: slackUrl,
      credential: "xoxb-a-token",
      settings: {},
      clock: systemClock,
      signal: new AbortController().signal,
      log: silentLog,
    },
  }
}
