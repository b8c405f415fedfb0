import * as fc from "fast-check"
import { expect, it } from "vitest"
import type { LoggedEvent } from "../../src/core/envelope.ts"
import { parseFilter } from "../../src/core/filter.ts"
import { toEntry } from "../../src/streaming/entry.ts"
import { createView } from "../../src/streaming/view.ts"
import { createViewIndex } from "../../src/streaming/view-index.ts"

const few = { maxLength: 3 }
const entity = fc.constantFrom("linear:issue:ENG-1", "linear:issue:ENG-2", "github:pull_request:acme/api#1")
const actor = fc.constantFrom("7", "8", "dev", "ops")
const type = fc.constantFrom(
  "github.push.pushed",
  "github.pull_request.opened",
  "linear.issue.update",
  "deployment.production.success",
)
const pattern = fc.constantFrom(
  "github.*",
  "github.pull_request.*",
  "**.opened",
  "*",
  "linear.issue.update",
  "git*.**",
)
const platform = fc.constantFrom("github", "linear", "slack", "deployment")
const value = fc.constantFrom<string | number | boolean | null>("main", "dev", 1, 2, 0, true, null, "1")
const path = fc.constantFrom("payload.ref", "payload.list.n", "actor.name", "payload.list", "title")

const condition = fc.oneof(
  value,
  fc.record({ $eq: value }),
  fc.record({ $in: fc.uniqueArray(value, { minLength: 1, maxLength: 3 }) }),
  fc.record({ $neq: value }),
  fc.record({ $eq: value, $exist: fc.boolean() }),
)
const where = fc
  .dictionary(path, condition, { minKeys: 1, maxKeys: 2 })
  .chain((clauses) => fc.constantFrom<object>(clauses, { $or: [clauses] }, { $not: clauses }))

const listOf = <T>(item: fc.Arbitrary<T>) => fc.array(item, { minLength: 1, maxLength: 2 })
const filter = fc
  .record(
    {
      entities: listOf(entity),
      actors: listOf(actor),
      types: listOf(pattern),
      platforms: listOf(platform),
      sources: listOf(fc.constantFrom("default", "other")),
      priority: listOf(fc.constantFrom("high", "low")),
      where,
    },
    { requiredKeys: [] },
  )
  .map(parseFilter)

const payload = fc.record({
  ref: value,
  list: fc.array(fc.record({ n: value }), few),
})
const event = fc
  .record({
    tenant: fc.constantFrom("a", "b"),
    platform,
    type,
    source: fc.constantFrom("default", "other"),
    priority: fc.constantFrom("high", "low"),
    actor: fc.option(fc.record({ id: actor, name: actor, bot: fc.constant(false) })),
    entity: fc.option(entity),
    references: fc.array(entity, few),
    title: fc.option(fc.constantFrom("main", "dev")),
    payload,
  })
  .map(
    ({ payload: body, references, ...rest }): LoggedEvent =>
      ({
        ...rest,
        id: "0197a000-0000-7000-8000-000000000001",
        name: "n",
        deliveryId: "d",
        url: null,
        occurredAt: null,
        receivedAt: new Date(0),
        correlationId: "c",
        causationId: null,
        backfilled: false,
        headers: {},
        contentType: "application/json",
        raw: Buffer.from(JSON.stringify(body)),
        position: 1,
        references: references.map((found) => ({ entity: found, relation: "mentions", evidence: {} })),
      }) as LoggedEvent,
  )

it("whatever the filters, an index finds all whose view shows an event, each once, and no other tenant's", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom("a", "b"), fc.array(filter, { maxLength: 2 }), fc.boolean()), {
        maxLength: 12,
      }),
      fc.array(event, { minLength: 1, maxLength: 4 }),
      (views, events) => {
        const index = createViewIndex<number>()
        const all = views.map(([tenant, filters, stays]) => ({ view: createView(tenant, filters), stays }))
        all.forEach(({ view }, n) => index.add(view, n))
        all.forEach(({ view, stays }, n) => {
          if (!stays) index.remove(view, n)
        })
        for (const one of events) {
          const entry = toEntry(one)
          const found = [...index.candidates(one)]
          expect(new Set(found).size).toBe(found.length)
          expect(new Set(found.filter((n) => all[n]?.view.shows(entry)))).toEqual(
            new Set(all.flatMap(({ view, stays }, n) => (stays && view.shows(entry) ? [n] : []))),
          )
          expect(found.every((n) => all[n]?.view.tenant === one.tenant)).toBe(true)
        }
      },
    ),
    { numRuns: 2_000 },
  )
})

it("of ten thousand filters only those are asked that may let an event pass", () => {
  const index = createViewIndex<number>()
  const filters = Array.from({ length: 10_000 }, (_, n) =>
    n % 3 === 0
      ? { entities: [`linear:issue:ENG-${n}`], types: ["linear.*"] }
      : n % 3 === 1
        ? { where: { "payload.number": n }, platforms: ["linear"] }
        : { actors: [`dev-${n}`] },
  )
  for (const [n, one] of filters.entries()) index.add(createView("a", [parseFilter({}), parseFilter(one)]), n)
  const [sample] = fc.sample(event, 1)
  const found = [
    ...index.candidates({
      ...(sample as LoggedEvent),
      tenant: "a",
      entity: "linear:issue:ENG-3",
      references: [],
      actor: { id: "dev-5", name: "dev", bot: false },
      raw: Buffer.from('{"number":4}'),
    }),
  ]
  expect(new Set(found)).toEqual(new Set([3, 4, 5]))
})

it("forgets what is removed, and takes it in again", () => {
  const index = createViewIndex<string>()
  const view = createView("a", [parseFilter({ where: { "payload.ref": "main" } })])
  const [sample] = fc.sample(event, 1)
  const main = { ...(sample as LoggedEvent), tenant: "a", raw: Buffer.from('{"ref":"main"}') }
  index.add(view, "x")
  index.remove(view, "x")
  expect([...index.candidates(main)]).toEqual([])
  expect([...index.all()]).toEqual([])
  index.add(view, "y")
  expect([...index.candidates(main)]).toEqual(["y"])
})

it("reads nothing of an event for what other tenants look for", () => {
  const index = createViewIndex<string>()
  index.add(createView("a", [parseFilter({ where: { "payload.ref": "main" } })]), "x")
  const [sample] = fc.sample(event, 1)
  let reads = 0
  const eventOf = (tenant: string): LoggedEvent => ({
    ...(sample as LoggedEvent),
    tenant,
    get raw() {
      reads++
      return Buffer.from('{"ref":"main"}')
    },
  })
  expect([...index.candidates(eventOf("b"))]).toEqual([])
  expect(reads).toBe(0)
  expect([...index.candidates(eventOf("a"))]).toEqual(["x"])
})
