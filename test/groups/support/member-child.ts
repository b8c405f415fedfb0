/** A member of a group in a process of its own, for tests that kill it: a line of JSON for every event and assignment. */
import { setTimeout as sleep } from "node:timers/promises"
import { createClient } from "../../../src/client/index.ts"

/** What it is told. */
export interface ChildSettings {
  url: string
  key: string
  group: string
  name: string
  /** Time that each event takes. */
  workMs: number
}

/** What it says. */
export type ChildLine =
  | { kind: "event"; partition: number; position: number }
  | { kind: "assignment"; partitions: number[] }

const settings: ChildSettings = JSON.parse(process.argv[2] ?? "")
const say = (line: ChildLine) => process.stdout.write(`${JSON.stringify(line)}\n`)
const ending = new AbortController()
process.once("SIGTERM", () => ending.abort())

await createClient(settings)
  .group(settings.group, {
    name: settings.name,
    signal: ending.signal,
    onAssignment: (partitions) => say({ kind: "assignment", partitions }),
  })
  .run(async (event, { partition }) => {
    if (settings.workMs > 0) await sleep(settings.workMs)
    say({ kind: "event", partition, position: event.position })
  })
