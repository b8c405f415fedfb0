import { expect, test } from "vitest"
import { senders } from "../../src/platforms/deployment/senders/index.ts"
import { isEvent, loadFixtures, loadSigner, signRequest, type Signer } from "../support/fixtures.ts"
import { sendWebhook, startTestHub, until } from "../support/hub.ts"

/** Deployments of every tool, through HTTP and processing to their table. */
const signers = new Map<string, Signer>()
for (const { name } of senders) {
  const signer = await loadSigner("deployment", name)
  if (signer !== null) signers.set(name, signer)
}
const { hub, url, database, json } = await startTestHub({
  sources: [...signers].map(([name, { secrets }]) => ({
    platform: "deployment",
    name,
    sender: name,
    secrets: [...secrets],
  })),
})
const now = new Date()

async function post(source: string, headers: Record<string, string>, body: Buffer | string) {
  const signer = signers.get(source)
  if (signer === undefined) throw new Error(`no source ${source}`)
  const request = { headers, body: Buffer.from(body), receivedAt: now }
  const signed = signRequest(request, signer)
  const response = await fetch(`${url}/webhooks/deployment/${source}`, {
    method: "POST",
    headers: { ...signed.headers },
    body: new Uint8Array(signed.body),
  })
  const answer: { events?: { eventId: string; duplicate: boolean }[] } = JSON.parse(await response.text())
  return { status: response.status, body: answer }
}

async function countProcessed(): Promise<number> {
  const { rows } = await database.work.query<{ done: number }>(
    "select count(*)::int as done from event_processing_status where status = 'processed'",
  )
  return rows[0]?.done ?? 0
}

/** How many events, and how many deployments among them, the fixtures of a tool say that they are. */
function told(name: string) {
  const fixtures = loadFixtures("deployment", name).filter(isEvent)
  const deployments = fixtures.filter(({ expect: { type } }) => type !== "deployment.unknown.received")
  return { platform: "deployment", sender: name, events: fixtures.length, deployments: deployments.length }
}

test("a deployment of every tool, and GitHub's own, is a row of one table and an event of one stream", async () => {
  let sent = 0
  for (const name of signers.keys()) {
    for (const { request } of loadFixtures("deployment", name).filter(isEvent)) {
      const answer = await post(name, { ...request.headers }, request.body)
      expect(answer).toEqual({ status: 202, body: { eventId: expect.any(String), duplicate: false } })
      sent++
    }
  }
  for (const { request } of loadFixtures("github").filter(({ shape }) =>
    /^deployment|that-deploys/.test(shape),
  )) {
    const headers = { ...request.headers }
    expect((await sendWebhook(url, "github", { headers, body: request.body.toString() })).status).toBe(202)
    sent++
  }
  await until(countProcessed, (done) => done >= sent)

  const { rows } = await database.work.query(
    `select e.platform, coalesce(e.sender, '') as sender, count(*)::int as events, count(d.event_id)::int as deployments
     from events e left join deployment_events d on d.event_id = e.id group by 1, 2 order by 1, 2`,
  )
  expect(rows).toEqual([
    ...[...signers.keys()].toSorted().map(told),
    { platform: "github", sender: "", events: 4, deployments: 4 },
  ])
  const live = await database.work.query(
    `select provider, environment from deployment_events
     where status = 'success' and environment_kind = 'production' group by 1, 2 order by 1, 2`,
  )
  expect(live.rows.map(({ provider }) => provider)).toEqual(
    expect.arrayContaining(["acme-deployer", "argocd", "cdevents", "fly", "netlify", "railway", "vercel"]),
  )
  // The run of a workflow is no deployment by its type, whatever its row says.
  const platforms: string[] = []
  for await (const { platform } of hub.stream("deployment_events", { after: "earliest" })) {
    platforms.push(platform)
    if (platforms.length === sent - 1) break
  }
  expect(platforms.filter((platform) => platform === "github")).toHaveLength(3)
})

const batch = "application/cloudevents-batch+json"
const event = (id: string, status = "success") =>
  `{ "specversion": "1.0", "id": "${id}", "source": "/batch", "type": "acme.deployed",\n "data": {"id": "${id}", "status": "${status}", "environment": "production"} }`

test("each event of a batch is one of its own, in the bytes it was sent in, and a repeat by itself", async () => {
  const first = await post("cloudevents", { "content-type": batch }, `[${event("b-1")}, ${event("b-2")}]`)
  expect(first).toEqual({
    status: 202,
    body: { events: Array.from({ length: 2 }, () => ({ eventId: expect.any(String), duplicate: false })) },
  })
  const again = await post(
    "cloudevents",
    { "content-type": batch },
    `[${event("b-2")}, ${event("b-3")}, ${event("b-3")}, ${event("b-1", "failure")}]`,
  )
  const [one, two] = first.body.events ?? []
  const [, three, threeAgain] = again.body.events ?? []
  expect(again.body.events).toEqual([
    { eventId: two?.eventId, duplicate: true },
    { eventId: three?.eventId, duplicate: !threeAgain?.duplicate },
    { eventId: three?.eventId, duplicate: !three?.duplicate },
    { eventId: one?.eventId, duplicate: false, conflict: true },
  ])
  const { rows } = await database.work.query<{ raw: Buffer; content_type: string }>(
    "select raw, content_type from events where delivery_id like 'cloudevents/%2Fbatch/%' order by delivery_id",
  )
  expect(rows.map(({ raw }) => raw.toString())).toEqual([event("b-1"), event("b-2"), event("b-3")])
  expect(new Set(rows.map(({ content_type }) => content_type))).toEqual(
    new Set(["application/cloudevents+json"]),
  )
})

test("a batch of none is taken, one of too many is refused, and so is one that is not signed", async () => {
  expect(await post("cloudevents", { "content-type": batch }, "[]")).toEqual({
    status: 202,
    body: { events: [] },
  })
  const many = `[${Array.from({ length: 1_001 }, (_, index) => event(`m-${index}`)).join(",")}]`
  expect((await post("cloudevents", { "content-type": batch }, many)).status).toBe(413)
  const unsigned = await fetch(`${url}/webhooks/deployment/cloudevents`, {
    method: "POST",
    headers: { "content-type": batch },
    body: `[${event("u-1")}]`,
  })
  expect(unsigned.status).toBe(401)
  const { rows } = await database.work.query(
    "select from events where delivery_id ~ '^cloudevents/%2Fbatch/[mu]-'",
  )
  expect(rows).toEqual([])
})

test("a deployment by a tool lies in the timeline of the commit it deploys", async () => {
  const sha = "0123456789abcdef0123456789abcdef01234567"
  await post(
    "generic",
    { "content-type": "application/json" },
    JSON.stringify({ id: "t-1", provider: "fly", status: "success", environment: "production", sha }),
  )
  const timeline = await until(
    () => json(`/api/v1/entities/github:commit:${sha}/timeline`),
    ({ body }) => body.events?.length > 0,
  )
  expect(timeline.body.events[0].entity).toBe("deployment:t-1")
})
