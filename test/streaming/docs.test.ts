import { execFile } from "node:child_process"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { expect, test } from "vitest"
import { adminKey, startTestHub } from "../support/hub.ts"
import { logEvents } from "../support/events.ts"

const run = promisify(execFile)
const { url, database, json, request } = await startTestHub()
const text = readFileSync(new URL("../../docs/streams.md", import.meta.url), "utf8")
const scripts = Array.from(text.matchAll(/```sh\n([\s\S]*?)```/g), ([, script = ""]) => script)
const program = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url))

async function runScript(script = ""): Promise<string> {
  const { stdout } = await run(
    "bash",
    ["-c", `set -euo pipefail\n${script.replaceAll("npx signalbox", `"${process.execPath}" "${program}"`)}`],
    {
      env: {
        ...process.env,
        SIGNALBOX_API_KEY: adminKey,
        SIGNALBOX_URL: url,
        DATABASE_URL: database.url,
      },
      timeout: 60_000,
    },
  )
  return stdout
}

test("the example of a stream's life runs as it stands", async () => {
  const answers = (await runScript(scripts[0])).trim().replaceAll("}{", "}\n{").split("\n")
  const streams = answers.map((answer) => JSON.parse(answer) as { name: string; retention: string })
  expect(streams.map(({ retention }) => retention)).toEqual(["30d", "30d", "90d"])
  expect((await json(`/api/v1/streams/${streams[0]?.name}`)).status).toBe(404)
})

test("the example of reading several at once runs as it stands", async () => {
  await json("/api/v1/streams", {
    method: "POST",
    body: JSON.stringify({ name: "deploys.eu", filter: { types: ["deployment.**"] } }),
  })
  await logEvents(database.work, [{ type: "deployment.production.success" }, { type: "nothing.of.it" }])
  const output = await runScript(scripts[1])
  expect(output).toContain("event: deployment.production.success\n")
  expect(output).not.toContain("nothing.of.it")
})

test("the example of conditions finds in an event of one's own what it says", async () => {
  await json("/api/v1/events", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ type: "billing.invoice.paid", payload: { amount: 5, lines: [{ plan: "team" }] } }),
  })
  const output = await runScript(scripts[2])
  const [event, ...others] = [...output.matchAll(/^data: (.*)$/gm)].map(([, data = ""]) => JSON.parse(data))
  expect(others).toEqual([])
  expect(event.payload).toEqual({
    type: "billing.invoice.paid",
    payload: { amount: 1200, lines: [{ plan: "team" }] },
  })
})

test("the example of open connections runs as it stands", async () => {
  const leaving = new AbortController()
  const reading = await request("/api/v1/events/stream?client=board", { signal: leaving.signal })
  const answers = (await runScript(scripts[4])).trim().replace("}{", "}\n{").split("\n")
  const [listed, said] = answers.map((answer) => JSON.parse(answer))
  expect(listed.connections).toMatchObject([{ client: "board" }])
  const fields = /A connection is `\{(.*?)\}`/.exec(text)?.[1]?.split(", ")
  expect(Object.keys(listed.connections[0]).toSorted()).toEqual(fields?.toSorted())
  expect(said).toEqual({ reached: 1, unanswered: [] })
  leaving.abort()
  expect(reading.status).toBe(200)
})

test("the example of a key with limits runs as it stands", async () => {
  expect(await runScript(scripts[3])).toContain("sb_")
  const { body } = await json("/api/v1/keys")
  expect(body.keys[0]).toMatchObject({ name: "board", requestsPerSecond: 20, eventsPerSecond: 500 })
  await runScript(`npx signalbox keys limit ${body.keys[0].id} --events-per-second off`)
  expect((await json("/api/v1/keys")).body.keys[0]).toMatchObject({
    requestsPerSecond: 20,
    eventsPerSecond: null,
  })
})
