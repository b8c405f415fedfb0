/**
 * Child process of the groups bench: workers as one would write them first. Each takes up to 100 jobs by `for update
 * skip locked`, handles them, deletes them and commits; a NOTIFY wakes those that wait. No order is kept.
 */
import { Client } from "pg"
import { createWaker } from "../../src/consumers/waker.ts"
import { tellParent } from "./ask-child.ts"
import type { MembersRequest } from "./group-protocol.ts"
import { createHandledEvents } from "./handled-events.ts"

const handled = createHandledEvents()
const stopping = new AbortController()

async function connect(databaseUrl: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  await client.query("listen jobs")
  void work(client)
}

async function work(client: Client): Promise<void> {
  const waker = createWaker()
  client.on("notification", waker.wake)
  while (!stopping.signal.aborted) {
    if ((await takeSome(client)) === 0) await waker.sleep(1_000)
  }
}

async function takeSome(client: Client): Promise<number> {
  await client.query("begin")
  const { rows } = await client.query<{ id: string; body: Buffer }>(
    "select id, body from jobs order by id for update skip locked limit 100",
  )
  for (const { body } of rows) {
    const payload: { n?: number } = JSON.parse(body.toString())
    handled.handle(payload.n ?? -1)
  }
  await client.query("delete from jobs where id = any($1)", [rows.map(({ id }) => id)])
  await client.query("commit")
  return rows.length
}

async function answer(request: MembersRequest): Promise<object> {
  if (request.ask === "measure") return handled.measure({ ...request, startNs: BigInt(request.startNs) })
  if (request.ask === "start") {
    await Promise.all(Array.from({ length: request.members }, () => connect(request.databaseUrl)))
  } else if (request.ask === "count") await handled.count(request.events)
  else stopping.abort()
  return { done: true }
}

process.on("message", (request: MembersRequest) => tellParent(answer(request)))
process.once("disconnect", () => process.exit())
