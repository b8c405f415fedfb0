import { randomUUID } from "node:crypto"
import { Writable } from "node:stream"
import { expect, test } from "vitest"
import type { Log } from "../../src/core/log.ts"
import { adminKey, sendWebhook, startTestHub, until } from "../support/hub.ts"
import { coreOf, secretNames, secretsByLooks } from "../support/secrets.ts"

const lines: string[] = []
const log: Log = {
  debug: (fields, message) => lines.push(JSON.stringify([fields, message])),
  info: (fields, message) => lines.push(JSON.stringify([fields, message])),
  warn: (fields, message) => lines.push(JSON.stringify([fields, message])),
  error: (fields, message) => lines.push(JSON.stringify([fields, message])),
  child: () => log,
}
const { hub, url, database, request, json } = await startTestHub({ log })

// A trigger_id is also the key of its delivery: it is of no use after 3 seconds, and none without a token.
const named = Object.fromEntries(
  secretNames.map((name) => [name, name === "trigger_id" ? "1.2.abc" : "value-nobody-may-see"]),
)
const secrets = [...Object.values(secretsByLooks).map(coreOf), "value-nobody-may-see"]
const carried = {
  note: Object.values(secretsByLooks).join(" \n"),
  list: Object.values(secretsByLooks),
  deep: [{ named }],
}
const token = secretsByLooks["a GitHub personal token"] ?? ""

interface Sent {
  platform: string
  headers: Record<string, string>
  body: string
}

const form = { "content-type": "application/x-www-form-urlencoded" }
const jsonType = { "content-type": "application/json" }
const sent: Sent[] = [
  {
    platform: "github",
    headers: { ...jsonType, "x-github-event": "issues", "x-github-delivery": randomUUID() },
    body: JSON.stringify({
      action: "opened",
      issue: {
        number: 1,
        title: `leaked ${token}`,
        html_url: `https://x.example/?token=${token}`,
        body: token,
      },
      repository: { full_name: "acme/api" },
      sender: { id: 1, login: "dev" },
      ...carried,
    }),
  },
  {
    platform: "linear",
    headers: { ...jsonType, "linear-delivery": randomUUID() },
    body: JSON.stringify({
      type: "Issue",
      action: "create",
      data: { id: randomUUID(), title: token },
      ...carried,
    }),
  },
  {
    platform: "slack",
    headers: jsonType,
    body: JSON.stringify({
      type: "event_callback",
      event_id: "Ev1",
      team_id: "T1",
      event: { type: "message", channel: "C1", ts: "1.000100", user: "U1", text: `use ${token}` },
      ...carried,
    }),
  },
  {
    platform: "slack",
    headers: form,
    body: new URLSearchParams({ command: "/deploy", text: token, team_id: "T1", ...named }).toString(),
  },
  {
    platform: "deployment",
    headers: { ...jsonType, "webhook-id": randomUUID() },
    body: JSON.stringify({
      id: "d1",
      provider: "tool",
      project: "api",
      repo: { host: "github.com", fullName: "acme/api" },
      sha: "6dcb09b5b57875f334f61aebed695e2e4193db5e",
      environment: "production",
      status: "success",
      logUrl: `https://logs.example/?token=${token}`,
      log_access_attributes: { type: "firebase", token: "value-nobody-may-see" },
      ...carried,
    }),
  },
]
const handled: unknown[] = []
hub.slack.event("/deploy", (event) => void handled.push(event.payload))
hub.on("custom.secret.shared", (event, { log: ours }) => {
  ours.warn({ payload: event.payload }, `handling ${JSON.stringify(event.payload)}`)
  throw Object.assign(new Error(`no luck with ${token}`, { cause: new Error(token) }), { detail: token })
})

function expectNone(shown: string): void {
  for (const secret of secrets) {
    expect(shown.includes(secret) || shown.includes(encodeURIComponent(secret)), secret).toBe(false)
  }
}

test("what every platform's payload carries is seen by nobody but with events:raw", async () => {
  const streamed: unknown[] = []
  const stop = new AbortController()
  const stream = (async () => {
    for await (const event of hub.stream("all_events", { after: "earliest", signal: stop.signal }))
      streamed.push(event.payload, event.title)
  })()
  const subscribed: unknown[] = []
  hub.subscribe("all_events", (event) => void subscribed.push(event.payload), { from: "earliest" })
  for (const one of sent) expect((await sendWebhook(url, one.platform, one)).status).toBeLessThan(300)
  await request("/api/v1/events", {
    method: "POST",
    headers: jsonType,
    body: JSON.stringify({ type: "custom.secret.shared", title: `see ${token}`, payload: carried }),
  })
  const all = sent.length + 1
  const { body } = await until(
    () => json("/api/v1/events?limit=100"),
    ({ body: page }) => page.events.length === all,
  )

  expectNone(JSON.stringify(body))
  expect(JSON.stringify(body).match(/\[masked\]/g)?.length).toBeGreaterThan(100)
  for (const event of body.events) {
    expectNone(await (await request(`/api/v1/events/${event.id}`)).text())
    if (event.entity === null) continue
    expectNone(await (await request(`/api/v1/entities/${encodeURIComponent(event.entity)}/timeline`)).text())
  }

  const live = await fetch(`${url}/api/v1/streams/all_events/sse?after=earliest`, {
    headers: { authorization: `Bearer ${adminKey}` },
  })
  let frames = ""
  for await (const chunk of live.body ?? []) {
    frames += Buffer.from(chunk).toString()
    if (frames.split("\ndata: ").length > all) break
  }
  expectNone(frames)

  await until(
    () => Promise.resolve([streamed.length, subscribed.length]),
    ([a = 0, b = 0]) => a === 2 * all && b === all,
  )
  stop.abort()
  await stream
  expectNone(JSON.stringify([streamed, subscribed]))

  for (const sql of [
    "select * from recent_events",
    "select * from correlated_events",
    "select * from receipts",
    "select * from event_log",
    "select * from event_references",
    "select * from event_correlations",
    "select * from github_events",
    "select * from linear_events",
    "select * from slack_events",
    "select * from deployment_events",
    "select to_jsonb(e) - 'raw' from events e",
    "select * from event_processing_status",
  ]) {
    const { rows } = await database.work.query(sql)
    expectNone(JSON.stringify(rows))
  }

  const raws = await Promise.all(
    body.events.map(async (event: { id: string }) =>
      (await request(`/api/v1/events/${event.id}/raw`)).text(),
    ),
  )
  for (const one of sent) expect(raws).toContain(one.body)
})

async function ask(where: object): Promise<number> {
  const filter = encodeURIComponent(JSON.stringify({ platforms: ["github"], where }))
  return (await json(`/api/v1/events?filter=${filter}`)).body.events.length
}

test("a filter cannot ask for a secret letter by letter", async () => {
  expect(await ask({ "payload.action": { $eq: "opened" } })).toBe(1)
  expect(await ask({ "payload.deep.named.token": { $eq: "[masked]" } })).toBe(1)
  expect(await ask({ "payload.deep.named.token": { $regex: "^value" } })).toBe(0)
})

test("a handler in the process gets the payload whole, to answer by it", async () => {
  await until(
    () => Promise.resolve(handled),
    ({ length }) => length === 1,
  )
  expect(handled[0]).toMatchObject({ response_url: named["response_url"], trigger_id: named["trigger_id"] })
})

async function failures(): Promise<unknown[]> {
  const { rows } = await database.work.query(
    "select last_error from event_deliveries where last_error is not null",
  )
  return rows
}

test("no line of the log, and no record of a failure, tells a secret", async () => {
  const errors = await until(failures, ({ length }) => length > 0)
  expect(JSON.stringify(errors)).toContain("no luck with [masked]")
  expectNone(JSON.stringify(errors))
  const told = await until(
    () => Promise.resolve(lines.join("\n")),
    (text) => text.includes("no luck with"),
  )
  expect(told).toContain("handling")
  expectNone(told)
})

test("the log of a process masks whole lines", async () => {
  const { createLog } = await import("../../src/core/log.ts")
  const written: string[] = []
  const sink = new Writable({ write: (chunk, _, done) => (written.push(String(chunk)), done()) })
  const ours = createLog("debug", sink)
  const fault = Object.assign(new Error(`bad ${token}`, { cause: new Error("password=hunter2-pw") }), {
    detail: "Key (delivery_id)=(a value of a row) already exists.",
    where: "unnamed portal parameter $1 = 'a value of a row'",
  })
  ours
    .child({ authorization: "Basic dXNlcjpwYXNz" })
    .error({ err: fault, headers: { cookie: "sid=a value of a row" } }, `Authorization: Bearer ${token}`)
  ours.info(
    { url: secretsByLooks["a database URL"], size: 9007199254740991 },
    "postgres://app:hunter2-pw@db is up",
  )
  const text = written.join("")
  expectNone(text)
  for (const hidden of ["hunter2-pw", "dXNlcjpwYXNz", "a value of a row"]) expect(text).not.toContain(hidden)
  expect(written.map((line) => JSON.parse(line))).toMatchObject([
    { msg: "Authorization: Bearer [masked]", authorization: "[masked]", err: { type: "Error" } },
    { url: "postgres://app:[masked]@db.example.com:5432/app", size: 9007199254740991 },
  ])
})
