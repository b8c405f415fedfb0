import { Hono } from "hono"
import { expect, test } from "vitest"
import { z } from "zod"
import { instant } from "../../src/api/instant.ts"
import { nameRoutes } from "../../src/api/names.ts"
import { parseBody, parseQuery } from "../../src/api/parse.ts"
import { testDatabase } from "../support/database.ts"
import { quietProblems } from "../support/quiet-problems.ts"

const schema = z.strictObject({
  limit: z.coerce.number().int().min(1).max(500).default(100),
  cursor: z.string().max(8).optional(),
  asOf: instant.optional(),
  since: z.iso.datetime({ offset: true }).optional(),
  payload: z.enum(["true", "false"]).optional(),
  order: z.enum(["newest", "oldest", "any"]).optional(),
  id: z.uuid().optional(),
  retry: z.strictObject({ schedule: z.array(z.int()).min(1).max(2) }).optional(),
  paused: z.boolean().optional(),
})

const app = quietProblems(new Hono())
app.get("/", (c) => c.json(parseQuery(c, schema)))
app.post("/", async (c) => c.json(await parseBody(c, schema)))
const database = await testDatabase()
app.route("/names", nameRoutes({ database, tenantOf: () => "default", entityFromUrl: () => null }))

async function refusal(path: string, body?: unknown): Promise<string> {
  const given = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }
  const response = await app.request(path, given)
  expect(response.status).toBe(400)
  return ((await response.json()) as { detail: string }).detail
}

const known = "known: limit, cursor, asOf, since, payload, order, id, retry, paused"
const zone = "has no zone: 2026-11-01T10:00:00Z is UTC, 2026-11-01T10:00:00+01:00 an hour ahead of it"
const time = "must be a time such as 2026-11-01T00:00:00Z"

test.each([
  ["asof=2026-11-01", `unknown query parameter asof; ${known}; did you mean asOf?`],
  ["AS_OF=2026-11-01", `unknown query parameter AS_OF; ${known}; did you mean asOf?`],
  ["limits=5&x%0Ay=1", `unknown query parameter limits, "x\\ny"; ${known}; did you mean limit?`],
  ["whatever=5", `unknown query parameter whatever; ${known}`],
  ["asOf=2026-11-01T10:00:00", `asOf: ${zone}`],
  [
    "asOf=2026-11-01T10:00:00+01:00",
    "asOf: must be a time such as 2026-11-01T00:00:00Z, or a date such as 2026-11-01; in an address + is %2B",
  ],
  ["asOf=yesterday", "asOf: must be a time such as 2026-11-01T00:00:00Z, or a date such as 2026-11-01"],
  ["since=2026-11-01T10:00:00", `since: ${zone}`],
  ["since=2026-11-01T10:00:00%20", `since: ${time}`],
  ["since=2026-11-01", `since: ${time}`],
  ["limit=ten", "limit: must be a number"],
  ["limit=1.5", "limit: must be a whole number"],
  ["limit=0", "limit: must be 1 or more"],
  ["limit=501", "limit: must be 500 or less"],
  ["cursor=123456789", "cursor: must have 8 characters at most"],
  ["payload=no", "payload: must be true or false"],
  ["order=no", "order: must be one of newest, oldest, any"],
  ["id=7", "id: must be a UUID"],
])("a query of %s is refused in words that name the mend", async (query, detail) => {
  expect(await refusal(`/?${query}`)).toBe(detail)
})

test.each([
  [{ Limit: 5 }, `unknown key Limit; ${known}; did you mean limit?`],
  [
    { retry: { shedule: [1] } },
    "retry.schedule: is missing; retry: unknown key shedule; known: schedule; did you mean schedule?",
  ],
  [{ retry: { schedule: [] } }, "retry.schedule: must list 1 or more"],
  [{ retry: { schedule: [1, 2, 3] } }, "retry.schedule: must list 2 at most"],
  [{ retry: { schedule: 7 } }, "retry.schedule: must be a list"],
  [{ retry: 7 }, "retry: must be an object"],
  [{ cursor: 7 }, "cursor: must be text"],
  [{ paused: "yes" }, "paused: must be true or false"],
  [[], "must be an object"],
])("and so is a body of %j", async (body, detail) => {
  expect(await refusal("/", body)).toBe(detail)
})

test("of many unknown names the first are told", async () => {
  const given = Object.fromEntries(
    Array.from({ length: 3000 }, (_, n) => [`${"n".repeat(n === 0 ? 500 : 5)}${n}`, 1]),
  )
  expect(await refusal("/", given)).toBe(
    `unknown key ${"n".repeat(64)}, nnnnn1, nnnnn2, nnnnn3, nnnnn4 and 2995 more; ${known}`,
  )
})

test("the route that finds a thing by its name says what it wants", async () => {
  const wanted =
    "name: is missing: give a thing as people call it, such as ENG-123, acme/api#42 (in an address # is %23), a commit or a web address"
  expect(await refusal("/names")).toBe(wanted)
  expect(await refusal("/names?q=ENG-123")).toBe(`${wanted}; unknown query parameter q; known: name`)
})
