import { spawn } from "node:child_process"
import { once } from "node:events"
import { readFile } from "node:fs/promises"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { expect, it, onTestFinished } from "vitest"
import { limitsStory } from "../../fixtures/correlation/story.ts"
import {
  createClient,
  isEvent,
  SignalboxClientError,
  type Client,
  type EventStream,
} from "../../src/client/index.ts"
import { adminKey, sendWebhook, startTestHub } from "../support/hub.ts"

const root = fileURLToPath(new URL("../../", import.meta.url))
const guide = await readFile(`${root}docs/client.md`, "utf8")
const blocks = [...guide.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code ?? "")
const { url } = await startTestHub()
for (const request of limitsStory().requests) await sendWebhook(url, request.platform, request)
const client = createClient({ url, key: adminKey })

it("the guide's example is the file, and runs as it stands", async () => {
  const file = `${root}examples/client.ts`
  expect(blocks[0]).toBe(await readFile(file, "utf8"))
  const child = spawn(process.execPath, [file], {
    env: { ...process.env, SIGNALBOX_URL: url, SIGNALBOX_API_KEY: adminKey },
    stdio: ["ignore", "pipe", "inherit"],
  })
  onTestFinished(() => void child.kill("SIGKILL"))
  const said: string[] = []
  createInterface({ input: child.stdout }).on("line", (line) => said.push(line))
  await expect
    .poll(() => said, { timeout: 20_000 })
    .toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^\d+ Limit the rate of requests by dev$/),
        expect.stringMatching(/^\d+ deployment\.production\.success .*live/),
      ]),
    )
  child.kill("SIGINT")
  expect(await once(child, "exit")).toEqual([0, null])
  await expect.poll(() => said.at(-1)).toMatch(/^go on with AFTER = \d+$/)
}, 60_000)

it("the guide's calls run as they stand", async () => {
  const names = ["key", "summary", "live", "verdict", "eventId", "duplicate"]
  const run: unknown = await import(
    `data:text/javascript,${encodeURIComponent(`export async function run(client) {${blocks[1]}\nreturn { ${names.join(", ")} } }`)}`
  )
  const { run: calls } = run as { run: (given: Client) => Promise<Record<string, unknown>> }
  expect(await calls(client)).toMatchObject({
    key: "github:pull_request:acme/api#42",
    live: [],
    verdict: "linked",
    duplicate: false,
  })
})

it("the guide names what there is", async () => {
  const stream: EventStream = client.stream("all_events")
  const error = new SignalboxClientError("not_found", "m", { status: 404 })
  const options = ["onOpen", "onRetry", "onGap", "onPosition", "onBroadcast"]
  const known = new Set([
    "pages",
    ...options,
    ...Object.keys({ createClient, isEvent, ...client, ...stream }),
  ])
  const named = [...guide.matchAll(/`(?:client\.|stream\.)?([a-z]\w+)\(/g)].map(([, name]) => name ?? "")
  expect(named.filter((name) => !known.has(name))).toEqual([])
  for (const field of ["code", "status", "retryable", "retryAfterMs", "message"])
    expect(error).toHaveProperty(field)
  await stream.return()
})
