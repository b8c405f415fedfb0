/** Child process of the groups bench: the members of a group, each with a client of its own. */
import { setTimeout as sleep } from "node:timers/promises"
import { createClient } from "../../src/client/index.ts"
import { tellParent } from "./ask-child.ts"
import { benchGroup, type MembersRequest } from "./group-protocol.ts"
import { createHandledEvents } from "./handled-events.ts"

const handled = createHandledEvents()
const ending = new AbortController()
let runs: Promise<void>[] = []

async function start({ members, url, key }: Extract<MembersRequest, { ask: "start" }>): Promise<void> {
  const holding = new Set<number>()
  runs = Array.from({ length: members }, async (_, index) =>
    createClient({ url, key })
      .group(benchGroup, {
        name: `member-${index}`,
        batch: 200,
        signal: ending.signal,
        onAssignment: (partitions) => (partitions.length > 0 ? holding.add(index) : holding.delete(index)),
      })
      .run((event) => handled.handle(numberOf(event.payload))),
  )
  while (holding.size < members) await sleep(10)
}

function numberOf(payload: unknown): number {
  return typeof payload === "object" && payload !== null && "n" in payload ? Number(payload.n) : -1
}

async function answer(request: MembersRequest): Promise<object> {
  if (request.ask === "measure") return handled.measure({ ...request, startNs: BigInt(request.startNs) })
  if (request.ask === "start") await start(request)
  else if (request.ask === "count") await handled.count(request.events)
  else {
    ending.abort()
    await Promise.all(runs)
  }
  return { done: true }
}

process.on("message", (request: MembersRequest) => tellParent(answer(request)))
process.once("disconnect", () => process.exit())
