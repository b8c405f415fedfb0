import { randomBytes } from "node:crypto"
import { once } from "node:events"
import { Agent, get, type IncomingMessage } from "node:http"
import { installQueue } from "../../src/queue/install.ts"
import { createPool, openDatabase, readAs } from "../../src/store/database.ts"
import { migrate } from "../../src/store/migrate.ts"
import { timeline } from "../../src/store/timeline.ts"
import type { BenchServer } from "./bench-database.ts"
import { startChild } from "./child-server.ts"
import { percentile, round } from "./statistics.ts"
import { storeStories } from "./stored-stories.ts"

export interface TimelineTimes {
  /** Milliseconds from request to the last byte of the answer. */
  p50Ms: number
  p95Ms: number
  p99Ms: number
  /** Bytes of an answer, the median. */
  answerBytes: number
}

export interface TimelineReport {
  stored: number
  /** Events in each timeline that was asked for. */
  events: number
  bodyBytes: number
  /** With bodies and without them (`payload=false`). */
  whole: TimelineTimes
  heads: TimelineTimes
  /** The same with bodies by a call within this process: no HTTP, and no JSON made of it. */
  called: Omit<TimelineTimes, "answerBytes">
}

/** Asks a hub, one request at a time, for the timelines of stories drawn at random from a large store. */
export async function timeTimelines(
  server: BenchServer,
  { stories, requests }: { stories: number; requests: number },
  progress: (line: string) => void,
): Promise<TimelineReport> {
  const url = await server.createDatabase()
  await migrate(url)
  await installQueue(url)
  const pool = createPool(url, { max: 1 })
  const stored = await storeStories(pool, stories, progress)
  await pool.end()
  await server.settle() // or the store goes to disk while it is read
  const key = randomBytes(24).toString("hex")
  const env = { BENCH_DATABASE_URL: url, BENCH_ADMIN_KEY: key, NODE_ENV: "production" }
  const child = await startChild(new URL("api-server.ts", import.meta.url), env)

  async function ask(payload: boolean, count: number): Promise<TimelineTimes> {
    const times: number[] = []
    const sizes: number[] = []
    for (let n = 0; n < count; n++) {
      const issue = encodeURIComponent(stored.issue(Math.floor(Math.random() * stories)))
      const address = `http://127.0.0.1:${child.port}/api/v1/entities/${issue}/timeline`
      const startedAt = performance.now()
      const kept: Buffer[] | undefined = n === 0 ? [] : undefined
      sizes.push(await readToEnd(`${address}?limit=500&payload=${payload}`, key, kept))
      times.push(performance.now() - startedAt)
      if (kept !== undefined) check(Buffer.concat(kept).toString(), stored.eventsEach)
    }
    const at = (fraction: number) => round(percentile(times, fraction))
    return { p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99), answerBytes: percentile(sizes, 0.5) }
  }

  try {
    progress("warming up")
    await ask(true, requests) // or V8 compiles while it is measured
    progress(`asking for ${requests} timelines, with bodies and without`)
    const whole = await ask(true, requests)
    const heads = await ask(false, requests)
    const called = await call(url, () => stored.issue(Math.floor(Math.random() * stories)), requests)
    const { eventsEach, bodyBytes } = stored
    return { stored: stories * eventsEach, events: eventsEach, bodyBytes, whole, heads, called }
  } finally {
    await child.stop()
  }
}

async function call(url: string, drawn: () => string, count: number): Promise<TimelineReport["called"]> {
  const database = openDatabase({ url })
  const times: number[] = []
  try {
    for (let n = 0; n < 2 * count; n++) {
      const startedAt = performance.now()
      await readAs(database, "default", (db) => timeline(db, "default", drawn(), { limit: 500 }))
      if (n >= count) times.push(performance.now() - startedAt)
    }
  } finally {
    await database.close()
  }
  const at = (fraction: number) => round(percentile(times, fraction))
  return { p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99) }
}

const agent = new Agent({ keepAlive: true })

/**
 * Bytes of an answer, read to the last one and put into `kept`, if that is given. To keep and to decode them
 * is the client's own time, and it shares our cores.
 */
async function readToEnd(url: string, key: string, kept?: Buffer[]): Promise<number> {
  const request = get(url, { agent, headers: { authorization: `Bearer ${key}` } })
  const [response] = (await once(request, "response")) as [IncomingMessage]
  let bytes = 0
  response.on("data", (chunk: Buffer) => {
    bytes += chunk.length
    kept?.push(chunk)
  })
  await once(response, "end")
  return bytes
}

function check(text: string, wanted: number): void {
  const answer: unknown = JSON.parse(text)
  const events =
    typeof answer === "object" && answer !== null && "events" in answer ? answer.events : undefined
  const found = Array.isArray(events) ? events.length : 0
  if (found !== wanted)
    throw new Error(`a timeline of ${wanted} events came with ${found}: ${text.slice(0, 200)}`)
}
