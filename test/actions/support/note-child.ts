import { leaveNote } from "../../../src/actions/leave-note.ts"
import { openDatabase } from "../../../src/store/database.ts"
import { speakerTo, type NoteTask } from "./speaker.ts"

/** Leaves a note as a process of its own would; whoever started it may kill it at any time. */
const { databaseUrl, slackUrl, wish, holdMs } = JSON.parse(process.argv[2] ?? "") as NoteTask
const database = openDatabase({ url: databaseUrl })
await leaveNote(
  database.work,
  await speakerTo(slackUrl),
  wish,
  { text: "Timeline", url: "https://hub.test/t" },
  holdMs,
)
await database.close()
