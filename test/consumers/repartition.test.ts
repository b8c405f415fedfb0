import { expect, onTestFinished, test } from "vitest"
import { partitionOf } from "../../src/core/partition-of.ts"
import { uuidv7 } from "../../src/core/uuid.ts"
import { partitionStates, renewMember, takeLeases, type TakenLease } from "../../src/store/consumer-leases.ts"
import { registerConsumer } from "../../src/store/consumers.ts"
import { openDatabase, transaction } from "../../src/store/database.ts"
import { retryDeadDelivery, retryLettersOf } from "../../src/store/dead-letters.ts"
import {
  beginAttempts,
  leaseKey,
  settleAttempts,
  settlementRow,
  takeDue,
} from "../../src/store/deliveries.ts"
import { repartition } from "../../src/store/repartition.ts"
import { retryDeliveries } from "../../src/store/webhook-deliveries.ts"
import { administer, subscribe } from "../delivery/machine.ts"
import { testDatabase } from "../support/database.ts"
import { logEvents } from "../support/events.ts"

const database = await testDatabase()
const db = database.work

async function register(name: string, partitions: number): Promise<string> {
  const record = { tenant: "default", name, kind: "handler", stream: "all_events", filter: {} } as const
  return registerConsumer(db, { ...record, partitions, from: "head" })
}

/** Takes the one lease of a consumer for a member. */
async function lease(subscriptionId: string, member: string): Promise<TakenLease> {
  await renewMember(db, member, [subscriptionId], 60_000)
  const [{ fence } = { fence: 0 }] = await partitionStates(db, member, [subscriptionId])
  const [taken] = await takeLeases(db, member, [{ subscriptionId, partition: 0, fence }])
  if (taken === undefined) throw new Error("the lease was not free to take")
  return taken
}

/** An attempt at an event that is under way, and what is written when it is done. */
async function attempt(taken: TakenLease, eventId: string) {
  const upTo = taken.position + 1
  const events = [{ eventId, tenant: "default", position: upTo }]
  await beginAttempts(db, [{ lease: taken, upTo, written: taken.position, events }], new Date())
  const settlement = { eventId, status: "delivered", attempts: 1, finishedAt: new Date() } as const
  return { lease: taken, row: settlementRow(taken, "handler", settlement) }
}

test("while a consumer is dealt anew, what is written of others together with its own waits for nothing", async () => {
  const leases = [
    await lease(await register("dealt", 1), "one"),
    await lease(await register("beside", 1), "two"),
  ] as const
  const [event] = await logEvents(db, [{}])
  const settles = [
    await attempt(leases[0], event?.id ?? ""),
    await attempt(leases[1], event?.id ?? ""),
  ] as const
  const { subscriptionId } = leases[0]
  await transaction(db, async (tx) => {
    await repartition(tx, db, subscriptionId, 3)
    // The transaction goes on.
    const held = await settleAttempts(db, settles)
    expect([...held]).toEqual([leaseKey(leases[1])])
    expect(await takeLeases(db, "two", [{ subscriptionId, partition: 0, fence: 2 }])).toEqual([])
  })
  const states = await partitionStates(db, "two", [subscriptionId])
  expect(states.map(({ owner }) => owner)).toEqual([null, null, null])
})

test("where it comes to nothing, the partitions are free for whoever wants them", async () => {
  const subscriptionId = await register("undone", 1)
  await lease(subscriptionId, "one")
  const undone = transaction(db, async (tx) => {
    await repartition(tx, db, subscriptionId, 3)
    throw new Error("of no use")
  })
  await expect(undone).rejects.toThrow("of no use")
  const states = await partitionStates(db, "two", [subscriptionId])
  expect(states.map(({ owner }) => owner)).toEqual([null])
  await expect(lease(subscriptionId, "two")).resolves.toMatchObject({ partition: 0, partitions: 1 })
})

test("everything that is not settled comes into its new partition, however much there is", async () => {
  const subscriptionId = await register("much", 2)
  const statuses = ["running", "retrying", "held", "delivered", "dead", "skipped"]
  const ids = Array.from({ length: 5_000 }, () => uuidv7())
  await db.query(
    `insert into event_deliveries (event_id, subscription_id, tenant, partition, position, status, attempts)
     select id, $1, 'default', n % 2, n, ($3::text[])[n % 6 + 1], 1
     from unnest($2::uuid[]) with ordinality as u (id, n)`,
    [subscriptionId, ids, statuses],
  )
  await transaction(db, (tx) => repartition(tx, db, subscriptionId, 7))
  const { rows } = await db.query<{ event_id: string; partition: number; status: string; position: number }>(
    "select event_id, partition, status, position from event_deliveries where subscription_id = $1",
    [subscriptionId],
  )
  expect(rows).toHaveLength(ids.length)
  const open = new Set(["running", "retrying", "held"])
  const expected = rows.map(({ event_id, position, status }) =>
    open.has(status) ? partitionOf(event_id, 7) : position % 2,
  )
  expect(rows.map(({ partition }) => partition)).toEqual(expected)
})

/** The same database by as few connections as dealing anew takes. */
function narrow() {
  const few = openDatabase({ url: database.url, maxWork: 2 })
  onTestFinished(() => few.close())
  return few
}

test("however many consumers are dealt anew at once, each finds the connections it takes", async () => {
  const names = Array.from({ length: 4 }, (_, n) => `at once ${n}`)
  for (const name of names) await register(name, 1)
  const { work } = narrow()
  const record = {
    tenant: "default",
    kind: "handler",
    stream: "all_events",
    filter: {},
    from: "head",
  } as const
  const ids = await Promise.all(
    names.map((name) => registerConsumer(work, { ...record, name, partitions: 3 })),
  )
  const { rows } = await db.query(
    "select count(*) as partitions from subscription_partitions where subscription_id = any($1)",
    [ids],
  )
  expect(rows).toEqual([{ partitions: 12 }])
})

test("a subscription is dealt anew while others wait to change it", async () => {
  await subscribe(database, "wanted", "https://127.0.0.1/hook")
  const admin = administer(narrow())
  const changes = [
    { partitions: 3 },
    { concurrency: 2 },
    { timeoutMs: 3_000 },
    { partitions: 5 },
    { ordered: true },
  ]
  await Promise.all(changes.map((change) => admin.edit("default", "wanted", change)))
  const row = await admin.edit("default", "wanted", { partitions: 2 })
  expect(row).toMatchObject({ partitions: 2, concurrency: 2, timeoutMs: 3_000, ordered: true })
})

const everyTime = { since: null, until: null }
const firstPage = { after: null, limit: 100 }

test.for([
  [
    "one by one",
    async (subscriptionId: string) => {
      const letters = await db.query<{ id: string }>(
        "select id from dead_letters where subscription_id = $1 and status = 'open'",
        [subscriptionId],
      )
      for (const { id } of letters.rows) await retryDeadDelivery(db, "default", id)
    },
  ],
  [
    "as the dead letters of a consumer",
    (subscriptionId: string) =>
      retryLettersOf(db, { tenant: "default", subscriptionId, ...everyTime }, firstPage),
  ],
  [
    "as deliveries of a subscription",
    (subscriptionId: string) =>
      retryDeliveries(db, subscriptionId, { statuses: ["dead"], eventId: null, ...everyTime }, firstPage),
  ],
] as const)(
  "what failed before a consumer was dealt anew and is tried again %s comes to whoever has its entity now",
  async ([name, retry]) => {
    const subscriptionId = await register(`shrunk ${name}`, 8)
    const entities = Array.from({ length: 12 }, (_, n) => `entity ${n}`)
    const events = await logEvents(
      db,
      entities.map((entity) => ({ entity })),
    )
    const ids = events.map(({ id }) => id)
    await db.query(
      `insert into event_deliveries (event_id, subscription_id, tenant, partition, position, status, attempts, finished_at)
     select id, $1, 'default', partition, n, 'dead', 3, now()
     from unnest($2::uuid[], $3::smallint[]) with ordinality as u (id, partition, n)`,
      [subscriptionId, ids, entities.map((entity) => partitionOf(entity, 8))],
    )
    await db.query(
      `insert into dead_letters (tenant, kind, event_id, subscription_id, attempts, error_code, error)
     select 'default', 'handler', id, $1, 3, 'failed', 'failed' from unnest($2::uuid[]) id`,
      [subscriptionId, ids],
    )
    await transaction(db, (tx) => repartition(tx, db, subscriptionId, 2))
    await retry(subscriptionId)
    await renewMember(db, name, [subscriptionId], 60_000)
    const states = await partitionStates(db, name, [subscriptionId])
    const taken: string[][] = []
    for (const one of await takeLeases(db, name, states)) {
      const due = await takeDue(db, one, new Date(Date.now() + 1_000), 100)
      taken[one.partition] = due.map(({ eventId }) => eventId)
    }
    const shareOf = (partition: number) =>
      ids.filter((_, index) => partitionOf(entities[index] ?? "", 2) === partition)
    expect(taken).toEqual([shareOf(0), shareOf(1)])
  },
)
