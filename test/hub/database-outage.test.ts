import { createHash, randomUUID } from "node:crypto"
import { readFile } from "node:fs/promises"
import { setTimeout as sleep } from "node:timers/promises"
import { afterAll, expect, it } from "vitest"
import { createPool } from "../../src/store/database.ts"
import { githubHeaders, githubSecret, starBody } from "../ingest/support/github-sender.ts"
import { until } from "../support/hub.ts"
import { startHubProcess, type HubProcess } from "./support/hub-process.ts"
import { startOwnPostgres } from "./support/own-postgres.ts"

const postgres = await startOwnPostgres()
const settings = { DATABASE_URL: postgres.url, GITHUB_WEBHOOK_SECRET: githubSecret }
const pool = createPool(postgres.url, { role: "signalbox_worker", max: 1 })
afterAll(() => pool.end())

interface Sent {
  guid: string
  hash: string
  /** Milliseconds since 1970 when it was sent, and when it was answered. */
  sentAt: number
  answeredAt: number
  /** 0 where there was no answer at all. */
  status: number
  retryAfter: string | null
}

/** Sends one delivery, and tells what became of it. */
async function deliver({ url }: Pick<HubProcess, "url">): Promise<Sent> {
  const guid = randomUUID()
  const body = starBody(`,"note":"${guid} ${"x".repeat(1_000)}"`)
  const hash = createHash("sha256").update(body).digest("hex")
  const sentAt = Date.now()
  const headers = githubHeaders({ event: "star", body, guid })
  try {
    const response = await fetch(`${url}/webhooks/github`, {
      method: "POST",
      headers,
      body: new Uint8Array(body),
    })
    await response.arrayBuffer()
    const { status } = response
    return {
      guid,
      hash,
      sentAt,
      answeredAt: Date.now(),
      status,
      retryAfter: response.headers.get("retry-after"),
    }
  } catch {
    return { guid, hash, sentAt, answeredAt: Date.now(), status: 0, retryAfter: null }
  }
}

interface Load extends Disposable {
  /** How many may be unanswered: senders do not wait for each other, but this machine may be slow. */
  room: number
  end(): Promise<Sent[]>
}

/** Sends so many a second, whatever becomes of them, until it is told to end, which answers all of them. */
function load(hub: HubProcess, perSecond: number): Load {
  const sent: Promise<Sent>[] = []
  let unanswered = 0
  let owed = 0
  let last = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    owed = Math.min(owed + ((now - last) / 1_000) * perSecond, perSecond / 10)
    last = now
    for (; owed >= 1 && unanswered < sending.room; owed--) {
      unanswered++
      sent.push(deliver(hub).finally(() => unanswered--))
    }
  }, 10)
  const sending: Load = {
    room: 300,
    end() {
      clearInterval(timer)
      return Promise.all(sent)
    },
    [Symbol.dispose]: () => clearInterval(timer),
  }
  return sending
}

/** The most memory that a process ever had; 0 where the system does not say. */
async function peakMiB(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "")
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1_024
}

async function outages(): Promise<
  { reason: string; from: number; to: number; requests: number; state: string }[]
> {
  const { rows } = await pool.query<{
    reason: string
    from: Date
    to: Date
    requests: number
    state: string
  }>(
    `select g.reason, g.started_at as "from", g.ended_at as "to", g.requests, g.state
     from source_gaps g join sources s on s.id = g.source_id
     where g.kind = 'outage' and s.platform = 'github' and s.name = 'default' order by g.started_at`,
  )
  return rows.map(({ from, to, ...rest }) => ({ ...rest, from: from.getTime(), to: to.getTime() }))
}

it("PostgreSQL away for 20 s under 500 requests a second: every 2xx is there to the byte, all else was a 503, and the ledger shows the hole", async () => {
  await using hub = await startHubProcess(settings)
  using sending = load(hub, 500)
  await sleep(4_000)
  sending.room = 6_000 // held for ten seconds each
  const stoppedAt = Date.now()
  await postgres.stop()
  await sleep(stoppedAt + 20_000 - Date.now())
  const backSoonAt = Date.now()
  await postgres.start()
  const backAt = Date.now()
  sending.room = 300
  await sleep(5_000)
  const sent = await sending.end()

  expect(new Set(sent.map(({ status }) => status))).toEqual(new Set([202, 503]))
  const turnedAway = sent.filter(({ status }) => status === 503)
  for (const { retryAfter, sentAt, answeredAt } of turnedAway) {
    expect(Number(retryAfter)).toBeGreaterThan(0)
    expect(answeredAt - sentAt).toBeLessThan(20_000) // GitHub's 10 s, and a busy machine
  }
  const accepted = sent.filter(({ status }) => status === 202)
  const { rows } = await pool.query<{ guid: string; hash: string }>(
    "select delivery_id as guid, encode(sha256(raw), 'hex') as hash from events",
  )
  const stored = new Map(rows.map(({ guid, hash }) => [guid, hash]))
  expect(rows).toHaveLength(stored.size) // each once
  expect(accepted.filter(({ guid, hash }) => stored.get(guid) !== hash)).toEqual([])
  // At once, by itself: what was still held is taken, and the last seconds are as the first.
  expect(
    Math.min(
      ...accepted
        .filter(({ answeredAt }) => answeredAt > stoppedAt + 5_000)
        .map(({ answeredAt }) => answeredAt),
    ) - backAt,
  ).toBeLessThan(5_000)
  expect(accepted.filter(({ sentAt }) => sentAt > backAt + 2_000).length).toBeGreaterThan(100)
  expect(turnedAway.filter(({ sentAt }) => sentAt > backAt + 2_000)).toEqual([])
  expect(hub.child.exitCode).toBeNull()
  expect(await peakMiB(hub.child.pid)).toBeLessThan(768)

  const [outage, ...more] = await until(outages, ([first]) => first?.requests === turnedAway.length)
  expect(more).toEqual([])
  expect(outage).toMatchObject({ reason: "database_away", state: "open" })
  expect(outage?.from).toBeLessThan(stoppedAt + 1_000)
  expect(outage?.to).toBeGreaterThan(backSoonAt - 1_000)
}, 120_000)

async function lastBeat(): Promise<number> {
  const { rows } = await pool.query<{ at: Date }>("select beat_at as at from ingest_heartbeat")
  return rows[0]?.at.getTime() ?? 0
}

it("a hub that is killed leaves an outage from its last moment to its next start", async () => {
  await using hub = await startHubProcess(settings)
  expect((await deliver(hub)).status).toBe(202)
  const deliveredAt = Date.now()
  await until(lastBeat, (beat) => beat > deliveredAt)
  await pool.query("delete from source_gaps") // an outage that ended with this slow start would be one with the next
  const killedAt = Date.now()
  await hub.end("SIGKILL")
  await sleep(5_000)
  const beatAt = await lastBeat()
  await using next = await startHubProcess(settings)
  const startedAt = Date.now()
  expect((await deliver(next)).status).toBe(202)
  const found = await outages()
  const killed = found.at(-1)
  expect(killed).toMatchObject({ reason: "hub_down", state: "open", requests: 0 })
  expect(killed?.from).toBeLessThanOrEqual(killedAt)
  expect(killed?.from).toBeGreaterThan(deliveredAt)
  expect(killed?.from).toBe(beatAt)
  expect(killed?.to).toBeLessThanOrEqual(startedAt)
  expect(killed?.to).toBeGreaterThan(killedAt + 5_000)
}, 60_000)
