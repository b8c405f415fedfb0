import { expect, it } from "vitest"
import { readAs } from "../../src/store/database.ts"
import { entityView } from "../../src/store/entity-view.ts"
import { testDatabase } from "../support/database.ts"
import { uuidAt } from "../support/uuid-at.ts"
import { insertLogged } from "./graph.ts"
import { explaining, rowsOf, scansOf, type PlanNode } from "./plans.ts"

const database = await testDatabase()
const entity = "github:repository:acme/api"
const began = Date.UTC(2026, 10, 1)
/** The time of the nth of two thousand events, ten minutes apart. */
const at = (nth: number) => new Date(began + nth * 600_000)

await insertLogged(
  database.work,
  Array.from({ length: 2_000 }, (_, index) => ({
    id: uuidAt(at(index)),
    entity,
    occurredAt: at(index).toISOString(),
    position: index + 1,
  })),
)

/** What was seen of it as of then, and how many events were looked at for that. */
async function seen(asOf: Date) {
  const plans = new Map<string, PlanNode[]>()
  const { firstSeenAt, lastSeenAt } = await readAs(database, "default", (db) =>
    entityView(explaining(db, plans), "default", entity, asOf),
  )
  const events = scansOf(plans.get("events_of_entity_then") ?? [], "events_")
  return { firstSeenAt, lastSeenAt, looks: rowsOf(events) }
}

it.each([10, 1_000, 1_999])(
  "when a busy thing was last seen as of event %i is told by few events",
  async (nth) => {
    const { looks, ...times } = await seen(new Date(at(nth).getTime() + 1))
    expect(times).toEqual({ firstSeenAt: at(0), lastSeenAt: at(nth) })
    expect(looks).toBeGreaterThan(0)
    expect(looks).toBeLessThan(20)
  },
)

it("to the millisecond, and not at all before it was first", async () => {
  expect(await seen(at(1_000))).toMatchObject({ lastSeenAt: at(1_000) })
  expect(await seen(new Date(at(1_000).getTime() - 1))).toMatchObject({ lastSeenAt: at(999) })
  expect(await seen(new Date(began - 1))).toMatchObject({ firstSeenAt: null, lastSeenAt: null })
})

it("also where what came late had happened before, or its id was made before it was received", async () => {
  const late = { entity, occurredAt: at(0).toISOString(), position: 3_000 }
  await insertLogged(database.work, [{ ...late, id: uuidAt(at(500)), entity: "test:thing:late" }])
  await database.work.query("update events set received_at = $1 where entity = 'test:thing:late'", [at(700)])
  const view = (asOf: Date) =>
    readAs(database, "default", (db) => entityView(db, "default", "test:thing:late", asOf))
  expect((await view(at(699))).lastSeenAt).toBeNull()
  expect((await view(at(700))).lastSeenAt).toEqual(at(0))
})
