import { fork, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { expect, onTestFinished, test } from "vitest"
import { deliveriesOf, eventually, append } from "../consumers/log.ts"
import { testDatabase } from "../support/database.ts"
import { testKeyText } from "../support/sources.ts"
import { subscribe } from "./machine.ts"
import { startReceiver, type Received } from "./receiver.ts"
import type { SenderSettings } from "./sender-child.ts"

const database = await testDatabase()
const script = fileURLToPath(new URL("sender-child.ts", import.meta.url))
const kills = 5
const entities = 12
const eventsEach = 40

async function startSender(): Promise<ChildProcess> {
  const settings: SenderSettings = { url: database.url, encryptionKey: testKeyText(1), leaseMs: 800 }
  const child = fork(script, [JSON.stringify(settings)], { stdio: ["ignore", "pipe", "inherit", "ipc"] })
  onTestFinished(() => kill(child))
  const failed = once(child, "exit").then(() => {
    throw new Error("the sender ended before it had started")
  })
  await Promise.race([failed, child.stdout === null ? failed : once(child.stdout, "data")])
  failed.catch(() => {}) // from here on it is ended by the test
  return child
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, "exit")
  child.kill("SIGKILL")
  await exit
}

function answering(): Promise<number> {
  return new Promise((resolve) => setTimeout(resolve, Math.random() * 20, 204))
}

interface AttemptCount {
  event_id: string
  attempts: number
  recorded: number
  answered: boolean
}

/** Of every event at a subscription: attempts begun, attempts that are rows, and whether one says 204. */
async function attemptsOf(name: string): Promise<AttemptCount[]> {
  const { rows } = await database.work.query<AttemptCount>(
    `select d.event_id, d.attempts, count(a.event_id)::int as recorded, coalesce(bool_or(a.status_code = 204), false) as answered
     from event_deliveries d
     join stream_subscriptions s on s.id = d.subscription_id
     left join webhook_attempts a on a.event_id = d.event_id and a.subscription_id = d.subscription_id
     where s.name = $1 group by 1, 2`,
    [name],
  )
  return rows
}

/** Entities of which an event came first before the one before it had come. */
function skippedAhead(received: readonly Received[]): string[] {
  const last = new Map<string, number>()
  return received.flatMap(({ json }) => {
    const number = Number(json.title)
    const before = last.get(json.entity) ?? 0
    last.set(json.entity, Math.max(before, number))
    return number > before + 1 ? [`${json.entity}: ${before} then ${number}`] : []
  })
}

test("a sender that is killed in the midst, again and again, loses nothing, skips nothing and hides no attempt", async () => {
  const ordered = await startReceiver(answering)
  const plain = await startReceiver(answering)
  const filter = { types: ["killed.*"] }
  await subscribe(database, "killed-ordered", ordered.url, { filter, ordered: true, partitions: 2 })
  await subscribe(database, "killed-plain", plain.url, { filter })
  const all = entities * eventsEach
  let sender = await startSender()
  for (let number = 1; number <= eventsEach; number++) {
    await append(
      database,
      ...Array.from({ length: entities }, (_, n) => ({
        type: "killed.it.happened",
        entity: `x:y:${n}`,
        title: String(number),
      })),
    )
  }
  for (let round = 1; round <= kills; round++) {
    // Each time when another part has come, so that something is always under way.
    const enough = Math.floor((all * round) / (kills + 1))
    await eventually(
      () => plain.received.length,
      (count) => count >= enough,
      60_000,
    )
    await kill(sender)
    sender = await startSender()
  }

  for (const [name, { received }] of Object.entries({ "killed-ordered": ordered, "killed-plain": plain })) {
    await eventually(
      () => deliveriesOf(database, name),
      (rows) => rows.length === all && rows.every(({ status }) => status === "delivered"),
      90_000,
    )
    const requests = Map.groupBy(received, ({ headers }) => headers["webhook-id"] ?? "")
    const counted = await attemptsOf(name)
    expect(requests.size).toBe(all)
    expect(counted).toHaveLength(all)
    for (const { event_id, attempts, recorded, answered } of counted) {
      expect(answered).toBe(true)
      // What a process had under way when it was killed was counted when it began; only its answer is unknown.
      expect(attempts).toBeGreaterThanOrEqual(requests.get(event_id)?.length ?? Infinity)
      expect(attempts).toBeGreaterThanOrEqual(recorded)
    }
  }
  expect(skippedAhead(ordered.received)).toEqual([])
  // The kills did hit something: otherwise this would prove nothing.
  expect(ordered.received.length + plain.received.length).toBeGreaterThan(2 * all)
}, 240_000)
