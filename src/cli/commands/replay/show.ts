import { setTimeout as sleep } from "node:timers/promises"
import type { CommandContext } from "../../command.ts"
import { createProgress } from "../../progress.ts"
import { ask, replay, type ShownReplay } from "./request.ts"

const everyMs = 500
const lineEveryMs = 5_000

/** A replay in one line. */
export function inWords(one: ShownReplay): string {
  const { id, consumer, status, delivered, failed, underWay, skipped, withdrawn, outstanding } = one
  const counts = [
    `${delivered} of ${totalOf(one)} delivered`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(skipped > 0 ? [`${skipped} not wanted`] : []),
    ...(underWay > 0 ? [`${underWay} on their way by themselves`] : []),
    ...(withdrawn > 0 ? [`${withdrawn} taken back`] : []),
    ...(outstanding > 0 ? [`${outstanding} outstanding`] : []),
    ...gapInWords(one),
  ]
  const stuck = consumer.status === "active" || status !== "running" ? "" : ` (which is ${consumer.status})`
  return `${id}  ${status}  to ${consumer.name}${stuck}: ${counts.join(", ")}`
}

/** What retention has dropped of what was asked for, in words; none where it has dropped nothing. */
export function gapInWords({ gap }: Pick<ShownReplay, "gap">): string[] {
  return gap ? [`positions ${gap.from} to ${gap.to} are past retention`] : []
}

/**
 * Shows how a replay comes on until it is over; with `--json` a line every five seconds. The answer is the exit
 * status: 0 where all was delivered, 1 where something failed or it was cancelled, 130 where the watching, and not
 * the replay, was interrupted.
 */
export async function follow(context: CommandContext, first: ShownReplay): Promise<number> {
  const { json, out, signal } = context
  const progress = createProgress("events")
  let one = first
  let toldAt = Date.now()
  try {
    while (one.status === "running" || one.status === "paused") {
      progress.show(doneOf(one), Math.max(totalOf(one), doneOf(one)))
      if (json && Date.now() - toldAt >= lineEveryMs) {
        toldAt = Date.now()
        out(JSON.stringify(one))
      }
      await sleep(everyMs, undefined, { signal })
      one = await ask(context, replay, "GET", `/${one.id}`)
    }
  } catch (error) {
    if (!signal.aborted) throw error
    progress.end()
    if (!json) out(`it goes on without this: signalbox replay follow ${one.id}`)
    return 130
  } finally {
    progress.end()
  }
  out(json ? JSON.stringify(one) : inWords(one))
  return one.failed > 0 || one.status === "cancelled" ? 1 : 0
}

function doneOf({ delivered, failed, skipped, underWay }: ShownReplay): number {
  return delivered + failed + skipped + underWay
}

/** How many it will be as far as is known: what was counted, or else what has matched. */
function totalOf({ status, estimate, estimateExact, matched }: ShownReplay): number {
  const isFinal = status === "completed" || status === "cancelled"
  return isFinal || (!estimateExact && estimate === null) ? matched : Math.max(estimate ?? 0, matched)
}
