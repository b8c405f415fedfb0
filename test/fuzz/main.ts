// npm run fuzz -- --requests 200000 [--seed N] [--json]
// Sends hostile requests of every platform to a hub, and fails where anything but 2xx and 4xx comes back,
// where a body that was taken is not there to the byte, or where memory grows.
import { fork, type ChildProcess } from "node:child_process"
import { randomBytes } from "node:crypto"
import { once } from "node:events"
import { parseArgs } from "node:util"
import { createPool } from "../../src/store/database.ts"
import { testServer, withDatabase } from "../support/server.ts"
import { fuzzTargets } from "./corpus.ts"
import { findEventByKey } from "./find-event.ts"
import { flatness } from "./flatness.ts"
import { runFuzz } from "./run-fuzz.ts"
import { dropDatabase } from "../support/drop-database.ts"

const { values } = parseArgs({
  options: {
    requests: { type: "string", default: "20000" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
    json: { type: "boolean", default: false },
  },
})
const [requests, seed] = [Number(values.requests), Number(values.seed)]
if (!Number.isSafeInteger(requests) || requests < 1 || !Number.isSafeInteger(seed)) {
  console.error("usage: npm run fuzz -- [--requests N] [--seed N] [--json]")
  process.exit(2)
}

const server = await testServer()
const name = server.databaseName()
const admin = createPool(server.url, { max: 1 })
await admin.query(`create database ${name}`)
const databaseUrl = withDatabase(server.url, name)
const key = randomBytes(24).toString("hex")
const hub = fork(new URL("hub-child.ts", import.meta.url), {
  env: { ...process.env, FUZZ_DATABASE: databaseUrl, FUZZ_KEY: key },
})
const { url } = await told<{ url: string }>(hub)
const pool = createPool(databaseUrl, { max: 4 })
const began = performance.now()
const memory: number[] = []

console.error(`seed ${seed}, ${requests} requests to ${url}`)
const report = await runFuzz({
  targets: await fuzzTargets(),
  url,
  key,
  requests,
  seed,
  findEvent: (platform, source, deliveryKey) => findEventByKey(pool, platform, source, deliveryKey),
  progress: (done, { stored, readBack, faultCount }) => {
    void ask(hub).then(({ rss }) => memory.push(rss))
    if (done % 5_000 !== 0 && done !== requests) return
    const seconds = ((performance.now() - began) / 1_000).toFixed(0)
    const rss = ((memory.at(-1) ?? 0) / 2 ** 20).toFixed(0)
    console.error(
      `${done} sent, ${stored} stored, ${readBack} read back, ${faultCount} faults, ${rss} MiB, ${seconds} s`,
    )
  },
})
const seconds = Math.round((performance.now() - began) / 1_000)
const ready = await fetch(`${url}/readyz`)
const { unhandled } = await ask(hub)
const rss = flatness(memory)
const fine = report.faultCount === 0 && unhandled === 0 && ready.ok && rss.flat && hub.exitCode === null
const result = { ...report, seconds, rss, unhandledRejections: unhandled, readyAtEnd: ready.ok, passed: fine }
console.log(JSON.stringify(result, null, values.json ? undefined : 2))

hub.disconnect()
await once(hub, "exit")
await pool.end()
await dropDatabase(admin, name)
await admin.end()
await server.stop()
process.exitCode = fine ? 0 : 1

async function told<T>(child: ChildProcess): Promise<T> {
  const waiting = new AbortController()
  const { signal } = waiting
  const ended = once(child, "exit", { signal }).then(([code]) => {
    throw new Error(`the hub ended with ${String(code)}`)
  })
  try {
    const [message] = (await Promise.race([once(child, "message", { signal }), ended])) as [T]
    return message
  } finally {
    ended.catch(() => {}) // given up
    waiting.abort()
  }
}

async function ask(child: ChildProcess): Promise<{ rss: number; unhandled: number }> {
  const answer = told<{ rss: number; unhandled: number }>(child)
  child.send("how are you?")
  return answer
}
