import { expect, it } from "vitest"
import { readAs } from "../../src/store/database.ts"
import { onlyMentionedBy } from "../../src/store/only-mentioned.ts"
import { edge, insertEdges, insertLogged, type EdgeRow } from "../correlation/graph.ts"
import { testDatabase } from "../support/database.ts"
import { uuidAt } from "../support/uuid-at.ts"

const database = await testDatabase()
const began = Date.UTC(2026, 10, 21, 12)
let position = 0

/** Events of GitHub's, a second apart, each about the thing that is named; their ids and times. */
async function happen(...entities: (string | null)[]) {
  const events = entities.map((entity) => {
    const at = new Date(began + ++position * 1000)
    return { id: uuidAt(at), entity, at, occurredAt: at.toISOString(), position }
  })
  await insertLogged(database.work, events)
  return events
}

async function refer(eventIds: readonly string[], entity: string, subject: string | null = null) {
  await database.work.query(
    `insert into event_references (event_id, tenant, ordinal, subject, entity, relation, evidence)
     select id, 'default', 0, $3, $2, 'mentions', '{"field":"title","text":"it"}' from unnest($1::uuid[]) as one (id)`,
    [eventIds, entity, subject],
  )
}

const mentioning = (key: string, asOf: Date | null = null) =>
  readAs(database, "default", (db) => onlyMentionedBy(db, "default", [key], asOf))

it("who names two things in one event is told of each, and neither of the other", async () => {
  const [event] = await happen("pager:incident:7")
  await insertEdges(database.work, [
    { ...edge("linear:issue:OPS-9 -implements-> jira:ticket:X-1"), eventId: event?.id ?? "" },
  ])
  expect(await mentioning("linear:issue:OPS-9")).toEqual(["pager:incident:7"])
  expect(await mentioning("jira:ticket:X-1")).toEqual(["pager:incident:7"])
})

it("of a push, that commit is told whose message names it", async () => {
  const [push] = await happen("github:branch:acme/api@main")
  const [commit, issue] = [`github:commit:${"c".repeat(40)}`, "linear:issue:OPS-10"]
  await refer([push?.id ?? ""], issue, commit)
  expect(await mentioning(issue)).toEqual([commit])
  await insertEdges(database.work, [{ ...edge(`${commit} -implements-> ${issue}`), eventId: push?.id ?? "" }])
  expect(await mentioning(issue)).toEqual([commit])
})

it("the surest of very many are told, whenever they came", async () => {
  const issue = "linear:issue:OPS-11"
  const prs = Array.from({ length: 1_100 }, (_, index) => `github:pull_request:acme/api#${index + 1}`)
  const events = await happen(...prs)
  const edges = events.map(({ id, entity }, index): EdgeRow => {
    const isLast = index === prs.length - 1
    const written = isLast ? `${entity} -implements-> ${issue}` : `${entity} ~mentions~> ${issue}`
    return { ...edge(written), eventId: id, confidence: isLast ? 0.9 : 0.5 }
  })
  await insertEdges(database.work, edges)
  await database.work.query(
    `update event_correlations l set known_from = e.received_at from events e
     where e.id = l.event_id and l.to_entity = $1`,
    [issue],
  )
  expect(await mentioning(issue)).toEqual([prs.at(-1), ...prs.slice(0, 19)])
  expect(await mentioning(issue, events.at(-2)?.at)).toEqual(prs.slice(0, 20))
})

it("where no rule links what refers to it, the earliest are told, of those of that time", async () => {
  const thing = "github:repository:acme/other"
  const prs = Array.from({ length: 1_100 }, (_, index) => `github:pull_request:acme/web#${index + 1}`)
  const events = await happen(...prs.slice(0, 50), null, ...prs.slice(50))
  // Written last first, so that the order in which rows lie is not that of their coming.
  await refer(
    events.toReversed().map(({ id }) => id),
    thing,
  )
  expect(await mentioning(thing)).toEqual(prs.slice(0, 20))
  expect(await mentioning(thing, events[2]?.at)).toEqual(prs.slice(0, 3))
})
