import { spawn, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { afterAll, expect, it } from "vitest"
import { readSse } from "../../src/cli/read-sse.ts"
import { adminKey, sendWebhook, until } from "../support/hub.ts"
import { loadSigner } from "../support/fixtures.ts"

const program = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url))
const dataDir = await mkdtemp(join(tmpdir(), "signalbox-kill-"))
const secret = (await loadSigner("github"))?.secrets[0] ?? ""
let hub: { child: ChildProcess; url: string } | undefined

afterAll(async () => {
  if (hub !== undefined) {
    hub.child.kill("SIGTERM")
    await once(hub.child, "exit")
  }
  await rm(dataDir, { recursive: true, force: true })
})

/** The hub as a user runs it, on a database of its own, which outlives it. */
async function startHub(): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [program, "serve", "--json", "--port", "0"], {
    env: {
      ...process.env,
      DATABASE_URL: "",
      SIGNALBOX_DATA_DIR: dataDir,
      SIGNALBOX_ADMIN_KEY: adminKey,
      GITHUB_WEBHOOK_SECRET: secret,
      HOST: "127.0.0.1",
      LOG_LEVEL: "error",
    },
    stdio: ["ignore", "pipe", "inherit"],
  })
  for await (const line of createInterface({ input: child.stdout })) {
    const message: unknown = JSON.parse(line)
    if (typeof message === "object" && message !== null && "url" in message) {
      return { child, url: String(message.url) }
    }
  }
  throw new Error("the hub ended before it was ready")
}

/** Sends events from many connections until the hub is gone, and notes the ids that were acknowledged. */
async function burst(url: string, round: number, acknowledged: string[], signal: AbortSignal): Promise<void> {
  const lane = async (name: number): Promise<void> => {
    for (let n = 0; !signal.aborted; n++) {
      const delivery = `${round}-${name}-${n}`
      const headers = {
        "content-type": "application/json",
        "x-github-event": "issues",
        "x-github-delivery": delivery,
      }
      const body = JSON.stringify({
        action: "opened",
        issue: { number: n + 1, title: delivery, body: "x".repeat(2_000) },
        repository: { full_name: "acme/api", default_branch: "main" },
      })
      const response = await sendWebhook(url, "github", { headers, body })
      const answer: unknown = await response.json()
      if (response.status === 202 && typeof answer === "object" && answer !== null && "eventId" in answer) {
        acknowledged.push(String(answer.eventId))
      }
    }
  }
  await Promise.allSettled(Array.from({ length: 16 }, (_, name) => lane(name)))
}

it("kill -9 in the middle of a burst, ten times: all that was acknowledged is there and comes on the stream", async () => {
  const acknowledged: string[] = []
  for (let round = 0; round < 10; round++) {
    hub = await startHub()
    const { child, url } = hub
    const gone = new AbortController()
    const before = acknowledged.length
    const sending = burst(url, round, acknowledged, gone.signal)
    await until(
      async () => acknowledged.length - before,
      (count) => count > 10, // so that it is in the midst of it, however slow the machine
    )
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 400))
    child.kill("SIGKILL")
    await once(child, "exit")
    hub = undefined
    gone.abort()
    await sending
  }

  hub = await startHub()
  const missing = new Set(acknowledged)
  let last = 0
  const stream = await fetch(`${hub.url}/api/v1/events/stream?after=earliest`, {
    headers: { authorization: `Bearer ${adminKey}` },
    signal: AbortSignal.timeout(60_000),
  })
  for await (const { id, data } of readSse(stream)) {
    expect(Number(id)).toBe(last + 1) // in order, no hole, nothing twice
    last = Number(id)
    const event: { id: string } = JSON.parse(data)
    missing.delete(event.id)
    if (missing.size === 0) break
  }
  expect([...missing]).toEqual([])
  const one = await fetch(`${hub.url}/api/v1/events/${acknowledged[0]}`, {
    headers: { authorization: `Bearer ${adminKey}` },
  })
  expect(one.status).toBe(200)
}, 180_000)
