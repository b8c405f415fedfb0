import { expect, test } from "vitest"
import { moveCursors, renewMember, takeLeases, type TakenLease } from "../../src/store/consumer-leases.ts"
import { registerConsumer } from "../../src/store/consumers.ts"
import { beginAttempts, settleAttempts, settlementRow, takeDue } from "../../src/store/deliveries.ts"
import { testDatabase } from "../support/database.ts"
import { logEvents } from "../support/events.ts"

const { work: db } = await testDatabase()

async function rounds(work: (n: number) => Promise<unknown>): Promise<void> {
  for (let n = 0; n < 150; n++) await work(n)
}

// PostgreSQL 18.4 ended with a segmentation fault here, within a few rounds, while settling joined the
// deliveries by their partition key (see deliveries.ts).
test("leases, cursors, attempts and settlements may be written at the same time, and the server lives", async () => {
  const partitions = 8
  const subscriptionId = await registerConsumer(db, {
    tenant: "default",
    name: "contended",
    kind: "handler",
    stream: "all_events",
    filter: {},
    partitions,
    from: "head",
  })
  const events = await logEvents(
    db,
    Array.from({ length: 64 }, () => ({})),
  )
  await renewMember(db, "member", [subscriptionId], 600_000)
  const leases: TakenLease[] = await takeLeases(
    db,
    "member",
    Array.from({ length: partitions }, (_, partition) => ({ subscriptionId, partition, fence: 0 })),
  )
  leases.sort((one, other) => one.partition - other.partition)
  const now = new Date()
  const pages = () =>
    leases.map((lease, partition) => ({
      lease,
      upTo: events.length,
      written: lease.position,
      events: events
        .filter((_, n) => n % partitions === partition)
        .map(({ id }, n) => ({ eventId: id, tenant: "default", position: n })),
    }))
  const settlements = () =>
    pages().flatMap((page) =>
      page.events.map(({ eventId }) => ({
        lease: page.lease,
        row: settlementRow(page.lease, "handler", {
          eventId,
          status: "retrying",
          attempts: 1,
          nextAttemptAt: now,
          finishedAt: now,
        }),
      })),
    )
  await beginAttempts(db, pages(), now)

  let changed = 0
  await Promise.all([
    rounds(() => settleAttempts(db, settlements())),
    rounds(() => settleAttempts(db, settlements())),
    rounds((n) =>
      moveCursors(
        db,
        leases.map((lease) => ({
          ...lease,
          position: Math.min(lease.position + n, events.length),
          written: lease.position,
        })),
      ),
    ),
    rounds(() => beginAttempts(db, pages(), now)),
    rounds(async (n) => {
      const lease = leases[n % partitions]
      if (lease !== undefined) await takeDue(db, lease, now, 8)
    }),
    rounds(async (n) => {
      const place = (n * 5) % partitions
      const [taken] = await takeLeases(db, "member", leases.slice(place, place + 1))
      if (taken === undefined) return // its row was locked just then
      leases[place] = taken
      changed++
    }),
  ])
  expect(changed).toBeGreaterThan(0)
  const held = await settleAttempts(db, settlements())
  expect(held.size).toBe(partitions)
  const { rows } = await db.query("select distinct status from event_deliveries")
  expect(rows).toEqual([{ status: "retrying" }])
})
