import type { Allowance } from "../core/allowance.ts"
import type { Place } from "../store/group-members.ts"
import type { Groups, MemberName } from "./create-groups.ts"

const heartbeatMs = 15_000
const maxEvents = 200
const maxBytes = 1 << 20

/**
 * What a member gets, as Server-Sent Events: `assignment` when it holds other partitions than before,
 * an event of its partitions under its type, `gap`, and `positions`, which is to be committed once all that came
 * before it is done. No more events than its key's allowance has. Ends when `gone` is aborted; throws what a
 * fetch throws.
 */
export async function* followEvents(
  groups: Groups,
  name: MemberName,
  gone: AbortSignal,
  allowance: Allowance | null,
): AsyncGenerator<Buffer, void> {
  let known = "none"
  let after: readonly Place[] | undefined
  let told = ""
  yield Buffer.from("retry: 500\n\n")
  while (!gone.aborted) {
    const most = (await allowance?.take(maxEvents)) ?? maxEvents
    allowance?.spend(-most) // for others, while there is nothing to be had
    if (gone.aborted) return
    const fetched = await groups.fetch(name, {
      waitMs: heartbeatMs,
      waits: true,
      gone,
      known,
      after: after ?? [],
      maxEvents: most,
      maxBytes,
      tellsGaps: true,
    })
    allowance?.spend(fetched.events.length)
    if (gone.aborted) return
    const frames: Buffer[] = []
    const { version, positions, events, gaps, revoking } = fetched
    after = positions.concat(kept(after, positions, revoking))
    if (version !== known) frames.push(frame("assignment", { version, assignments: positions, revoking }))
    known = version
    for (const gap of gaps) frames.push(frame("gap", gap))
    for (const { partition, entry } of events)
      frames.push(eventFrame(partition, entry.event.type, entry.json()))
    const reached = JSON.stringify(after)
    if (reached !== told && after.length > 0) frames.push(frame("positions", after))
    told = reached
    yield frames.length === 0 ? stillHere : Buffer.concat(frames)
  }
}

const stillHere = Buffer.from(":\n\n")

/** Where it is in partitions that it has to give back: they are its until it has committed that. */
function kept(
  before: readonly Place[] = [],
  positions: readonly Place[],
  revoking: readonly number[],
): Place[] {
  const present = new Set(positions.map(({ partition }) => partition))
  return before.filter(({ partition }) => revoking.includes(partition) && !present.has(partition))
}

function frame(name: string, data: unknown): Buffer {
  return Buffer.from(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`)
}

function eventFrame(partition: number, type: string, json: Buffer): Buffer {
  const head = `event: ${type.replace(/[\r\n]+/g, " ")}\ndata: {"partition":${partition},"event":`
  return Buffer.concat([Buffer.from(head), json, Buffer.from("}\n\n")])
}
