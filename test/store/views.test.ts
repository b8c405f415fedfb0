import * as fc from "fast-check"
import { afterEach, expect, test } from "vitest"
import { uuidv7 } from "../../src/core/uuid.ts"
import { testDatabase } from "../support/database.ts"

const { work } = await testDatabase()

afterEach(() =>
  work.query(`delete from events; delete from event_processing_status; delete from event_performance;
    delete from event_log; delete from event_correlations; delete from event_references`),
)

interface Row {
  id: string
  tenant: string
  type: string
  entity: string | null
  raw: Buffer
  contentType: string
  position: number | null
}

async function insertEvent(row: Partial<Row>): Promise<string> {
  const { id = uuidv7(), tenant = "default", type = "github.pull_request.opened", entity = null } = row
  const { raw = Buffer.from("{}"), contentType = "application/json", position = null } = row
  await work.query(
    `insert into events (id, tenant, platform, source, type, name, delivery_id, priority, entity, title, received_at,
       correlation_id, headers, content_type, raw)
     values ($1, $2, 'github', 'main', $3, 'n', 'd', 'normal', $4, 'a title', '2026-01-02T03:04:05Z', 'c', '{}', $5, $6)`,
    [id, tenant, type, entity, contentType, raw],
  )
  if (position !== null) {
    await work.query(
      `insert into event_log (position, event_id, tenant, platform, source, type, name, priority, entity,
         occurred_at, correlation_id, appended_at)
       values ($1, $2, $3, 'github', 'main', $4, 'n', 'normal', $5, '2026-01-02T03:04:05Z', 'c', now())`,
      [position, id, tenant, type, entity],
    )
  }
  return id
}

async function insertStatus(id: string, tenant: string, status: string, attempts: number): Promise<void> {
  await work.query(
    `insert into event_processing_status (event_id, tenant, status, attempts, last_error, first_attempt_at, processed_at)
     values ($1, $2, $3, $4, case when $3 = 'processed' then null else 'it broke' end, now(),
       case when $3 = 'processed' then '2026-01-02T03:04:06Z'::timestamptz end)`,
    [id, tenant, status, attempts],
  )
}

async function payload(raw: string | Buffer, contentType = "application/json"): Promise<unknown> {
  const { rows } = await work.query<{ payload: unknown }>("select event_payload($1, $2) as payload", [
    Buffer.from(raw),
    contentType,
  ])
  return rows[0]?.payload
}

const form = "application/x-www-form-urlencoded; charset=utf-8"

test("a payload that jsonb holds is shown as it is", async () => {
  expect(await payload('{"a": [1, true, null, "ü😀"], "b": {}}')).toEqual({
    a: [1, true, null, "ü😀"],
    b: {},
  })
  expect(await payload('"😀 \\ud83d\\ude00"', "Application/JSON")).toBe("😀 😀")
  expect(await payload('{"twice": 1, "twice": 2}')).toEqual({ twice: 2 })
  const { rows } = await work.query(
    "select event_payload('[9007199254740993]', 'application/json')::text as text",
  )
  expect(rows).toEqual([{ text: "[9007199254740993]" }])
})

test("what jsonb refuses within a text is replaced, and what only looks like it is kept", async () => {
  expect(await payload('"a\\u0000\\u0000b"')).toBe("a\ufffd\ufffdb")
  expect(await payload('{"\\u0000": 1}')).toEqual({ "\ufffd": 1 })
  expect(await payload('"\\ud83d"')).toBe("\ufffd")
  expect(await payload('"\\ude00\\uD83D"')).toBe("\ufffd\ufffd")
  expect(await payload('"\\ud83d\\ud83d\\ude00\\ude00"')).toBe("\ufffd😀\ufffd")
  expect(await payload('"\\\\u0000 \\\\ud83d"')).toBe("\\u0000 \\ud83d")
  expect(await payload('"\\\\\\u0000"')).toBe("\\\ufffd")
  expect(await payload('"\\\\ud83d\\ude00"')).toBe("\\ud83d\ufffd")
})

test("forms are decoded: their payload field, or else their fields", async () => {
  expect(await payload("payload=%7B%22a%22%3A+%22b%2Bc+%C3%BC%22%7D&other=1", form)).toEqual({ a: "b+c ü" })
  expect(await payload("payload=%7B%22a%22%3A%22%5Cu0000%22%7D", form)).toEqual({ a: "\ufffd" })
  const command = "command=%2Fdeploy&text=api+to%20prod&empty=&bare&twice=1&twice=2&nul=a%00b&raw=50%&=x"
  expect(await payload(command, form)).toEqual({
    command: "/deploy",
    text: "api to prod",
    empty: "",
    bare: "",
    twice: "2",
    nul: "a\ufffdb",
    raw: "50%",
    "": "x",
  })
  expect(await payload("", form)).toEqual({})
})

test("a body nested 10,000 deep is held", async () => {
  const { rows } = await work.query("select jsonb_typeof(event_payload($1, 'application/json')) as type", [
    Buffer.from(nested(10_000)),
  ])
  expect(rows).toEqual([{ type: "array" }])
})

function nested(depth: number): string {
  return "[".repeat(depth) + "]".repeat(depth)
}

test("a body of numbers that would be written out without end gives null, and a long one in few its payload", async () => {
  expect(await payload(`{"token":"x","n":[${Array(700).fill("1e131071").join()}]}`)).toBeNull()
  expect(await payload('{"token":"x","n":1e300}')).toEqual({ token: "[masked]", n: 1e300 })
  const control = "\u0001".repeat(10_000)
  expect(await payload(JSON.stringify({ token: "x", control }))).toEqual({ token: "[masked]", control })
})

test("a body that jsonb cannot hold at all gives null", async () => {
  const deep = nested(1_000_000)
  const bodies = [
    "",
    "{",
    "not json",
    Buffer.from([0x22, 0xff, 0x22]),
    Buffer.from([0x22, 0, 0x22]),
    "1e131072",
    deep,
  ]
  for (const body of bodies) expect(await payload(body), String(body).slice(0, 20)).toBeNull()
  expect(await payload("payload=%FF", form)).toBeNull()
})

test("any JSON text comes out as JavaScript reads it, but for what jsonb refuses", async () => {
  // Strings of everything that quoting, escaping and surrogate pairs could trip over.
  const pieces = [
    "\\",
    "\\\\",
    '"',
    "\0",
    "\u0001",
    "\ud83d",
    "\ude00",
    "u0000",
    "ud83d",
    "u",
    "d",
    "a",
    "ü",
    "\ufffd",
  ]
  const text = fc.array(fc.constantFrom(...pieces)).map((parts) => parts.join(""))
  const { json } = fc.letrec<{ json: unknown }>((tie) => ({
    json: fc.oneof(
      { depthSize: "small" },
      text,
      fc.double({ noDefaultInfinity: true, noNaN: true }).map((number) => number + 0), // jsonb has no -0
      fc.boolean(),
      fc.constant(null),
      fc.array(tie("json")),
      fc.dictionary(fc.constantFrom("a", "b\\", "__proto__"), tie("json")),
    ),
  }))
  await fc.assert(
    fc.asyncProperty(json, async (value) => {
      expect(await payload(JSON.stringify(value))).toEqual(clean(JSON.parse(JSON.stringify(value))))
    }),
  )
})

function clean(value: unknown): unknown {
  if (typeof value === "string") return value.toWellFormed().replaceAll("\0", "\ufffd")
  if (Array.isArray(value)) return value.map(clean)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, clean(member)]))
}

test("no bytes whatever make a payload fail", async () => {
  const contentTypes = fc.constantFrom("application/json", form, "", "text/plain")
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 40 }), contentTypes, async (bytes, contentType) => {
      expect(await payload(Buffer.from(bytes), contentType)).toBeDefined()
    }),
  )
})

test("recent_events shows every event once, newest first, with how far it has come", async () => {
  const processed = await insertEvent({
    position: 7,
    raw: Buffer.from('{"n": 1}'),
    entity: "github:branch:a/b@c",
  })
  await insertStatus(processed, "default", "processed", 1)
  const waiting = await insertEvent({ raw: Buffer.from('{"n": 1e131072}') })
  const retrying = await insertEvent({ raw: Buffer.from('{"n": "\\u0000"}') })
  await insertStatus(retrying, "default", "retrying", 2)
  const { rows } = await work.query(
    `select id, position, status, attempts, last_error, processed_at, title, payload from recent_events`,
  )
  const title = "a title"
  const open = { position: null, processed_at: null, title }
  expect(rows).toEqual([
    {
      ...open,
      id: retrying,
      status: "retrying",
      attempts: 2,
      last_error: "it broke",
      payload: { n: "\ufffd" },
    },
    { ...open, id: waiting, status: "pending", attempts: 0, last_error: null, payload: null },
    {
      id: processed,
      position: 7,
      status: "processed",
      attempts: 1,
      last_error: null,
      processed_at: new Date("2026-01-02T03:04:06Z"),
      title,
      payload: { n: 1 },
    },
  ])
})

test("recent_events reads its newest rows by the index, without looking at the others' payloads", async () => {
  const { rows } = await work.query<{ "QUERY PLAN": string }>(
    "explain select id, title from recent_events limit 20",
  )
  const plan = rows.map((row) => row["QUERY PLAN"]).join("\n")
  expect(plan).toContain("Index Scan Backward using events_")
  expect(plan).not.toMatch(/->\s+Sort|event_payload/)
})

test("event_processing_summary counts each event once", async () => {
  const outcomes = [
    { status: null, attempts: 0, totalMs: null },
    { status: "retrying", attempts: 2, totalMs: null },
    { status: "processed", attempts: 1, totalMs: 100 },
    { status: "processed", attempts: 3, totalMs: 300 },
    { status: "dead", attempts: 5, totalMs: null },
  ]
  for (const { status, attempts, totalMs } of outcomes) {
    const id = await insertEvent({ position: null })
    if (status !== null) await insertStatus(id, "default", status, attempts)
    if (totalMs === null) continue
    await work.query("insert into event_performance values ($1, 'default', 1, 1, $2, now())", [id, totalMs])
    // Rows that hang on an event must not count it again.
    for (const ordinal of [1, 2]) {
      await work.query(
        "insert into event_references values ($1, 'default', $2, null, 'e', 'mentions', '{}')",
        [id, ordinal],
      )
    }
  }
  await insertEvent({ type: "github.push.pushed" })
  await insertEvent({ tenant: "other" })
  const { rows } = await work.query("select * from event_processing_summary order by tenant, type")
  const received = new Date("2026-01-02T03:04:05Z")
  const times = { first_received_at: received, last_received_at: received }
  const untried = {
    pending: 1,
    retrying: 0,
    processed: 0,
    dead: 0,
    retried: 0,
    attempts: 0,
    p50_ms: null,
    p95_ms: null,
    p99_ms: null,
  }
  expect(rows).toEqual([
    {
      tenant: "default",
      platform: "github",
      type: "github.pull_request.opened",
      events: 5,
      pending: 1,
      retrying: 1,
      processed: 2,
      dead: 1,
      retried: 3,
      attempts: 11,
      p50_ms: 200,
      p95_ms: 290,
      p99_ms: 298,
      ...times,
    },
    { tenant: "default", platform: "github", type: "github.push.pushed", events: 1, ...untried, ...times },
    {
      tenant: "other",
      platform: "github",
      type: "github.pull_request.opened",
      events: 1,
      ...untried,
      ...times,
    },
  ])
})

test("correlated_events shows a pair once a link, with its best proof", async () => {
  const pull = "github:pull_request:a/b#1"
  const issue = "linear:issue:ENG-1"
  const opened = await insertEvent({ entity: pull, position: 1 })
  const closed = await insertEvent({ entity: pull, position: 2 })
  const created = await insertEvent({ entity: issue, position: 3, type: "linear.issue.create" })
  await insertEvent({ entity: "linear:issue:ENG-2", position: 4 })
  await insertEvent({ entity: issue, position: 5, tenant: "other" })
  const proofs = [
    { event: opened, relation: "closes", rule: "body", strength: "weak", confidence: 0.99 },
    { event: opened, relation: "closes", rule: "title", strength: "strong", confidence: 0.75 },
    { event: closed, relation: "closes", rule: "branch", strength: "strong", confidence: 0.875 },
    { event: closed, relation: "mentions", rule: "body", strength: "weak", confidence: 0.5 },
  ]
  for (const { event, relation, rule, strength, confidence } of proofs) {
    await work.query(
      `insert into event_correlations (tenant, from_entity, to_entity, relation, rule, event_id, rule_version,
         strength, confidence, evidence, occurred_at, known_from)
       values ('default', $1, $2, $3, $4, $5, 1, $6, $7, '{}', now(), now())`,
      [pull, issue, relation, rule, event, strength, confidence],
    )
  }
  const { rows } = await work.query(
    `select relation, strength, confidence, rule, shown_by, from_event_id, from_position, to_event_id, to_position, to_type
     from correlated_events order by relation, from_position`,
  )
  const to = { to_event_id: created, to_position: 3, to_type: "linear.issue.create" }
  const closes = {
    relation: "closes",
    strength: "strong",
    confidence: 0.875,
    rule: "branch",
    shown_by: closed,
    ...to,
  }
  const mentions = {
    relation: "mentions",
    strength: "weak",
    confidence: 0.5,
    rule: "body",
    shown_by: closed,
    ...to,
  }
  expect(rows).toEqual([
    { ...closes, from_event_id: opened, from_position: 1 },
    { ...closes, from_event_id: closed, from_position: 2 },
    { ...mentions, from_event_id: opened, from_position: 1 },
    { ...mentions, from_event_id: closed, from_position: 2 },
  ])
})
