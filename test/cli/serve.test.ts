import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { text } from "node:stream/consumers"
import { fileURLToPath } from "node:url"
import { afterAll, expect, it, onTestFinished } from "vitest"

const program = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url))
const example = fileURLToPath(new URL("../../examples/handler.ts", import.meta.url))
const dataDir = await mkdtemp(join(tmpdir(), "signalbox-serve-"))
afterAll(() => rm(dataDir, { recursive: true, force: true }))

function signalbox(args: string[], env: Record<string, string> = {}) {
  return run([program, ...args], env)
}

function run(args: string[], env: Record<string, string>) {
  const child = spawn(process.execPath, args, {
    env: {
      PATH: process.env["PATH"],
      SIGNALBOX_DATA_DIR: dataDir,
      HOST: "127.0.0.1",
      LOG_LEVEL: "error",
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  })
  onTestFinished(() => void child.kill("SIGKILL"))
  return child
}

async function outcome(args: string[], env?: Record<string, string>): Promise<[number, string]> {
  return endOf(signalbox(args, env))
}

async function endOf(child: ReturnType<typeof run>): Promise<[number, string]> {
  const [said, [status]] = await Promise.all([text(child.stderr), once(child, "exit")])
  return [status, said]
}

interface Ready {
  url: string
  adminKey: string | null
  rules: { name: string; version: number }[]
}

async function start(...args: string[]) {
  const child = signalbox(["serve", "--json", "--port", "0", ...args])
  for await (const line of createInterface({ input: child.stdout })) {
    const message: Partial<Ready> = JSON.parse(line)
    if (message.url !== undefined)
      return { child, url: message.url, adminKey: message.adminKey, rules: message.rules }
  }
  throw new Error("it ended before it was ready")
}

async function stop({ child }: { child: ReturnType<typeof run> }): Promise<number> {
  child.kill("SIGINT")
  const [status] = await once(child, "exit")
  return status
}

async function startExample() {
  const child = run([example], { PORT: "0" })
  for await (const line of createInterface({ input: child.stdout })) return { child, url: line }
  throw new Error("it ended before it was ready")
}

it("the first `serve` that gets anywhere makes the admin key, and no start after it", async () => {
  const squatter = createServer().listen(0, "127.0.0.1")
  await once(squatter, "listening")
  onTestFinished(() => void squatter.close())
  const address = squatter.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  const [status, said] = await outcome(["serve", "--port", String(port)])
  expect([status, said.trim().split("\n")]).toEqual([2, [expect.stringMatching(/port \d+ .*is taken.*PORT/)]])

  // A hub in a program of somebody's own makes no key, since nobody would see it.
  const own = await startExample()
  const [twice, refusal] = await endOf(run([example], { PORT: "0" }))
  expect([twice, refusal.trim().split("\n")]).toEqual([1, [expect.stringContaining("in use by another")]])
  expect(await stop(own)).toBe(0)

  const first = await start()
  expect(first.adminKey).toMatch(/^sb_/)
  const headers = { authorization: `Bearer ${first.adminKey}` }
  expect((await fetch(`${first.url}/readyz`)).status).toBe(200)
  expect((await fetch(`${first.url}/api/v1/keys`, { headers })).status).toBe(200)

  const asker = { SIGNALBOX_URL: first.url, SIGNALBOX_API_KEY: first.adminKey ?? "" }
  expect(await outcome(["status", "ENG-999"], asker)).toEqual([
    1,
    "signalbox status: nothing is known of linear:issue:ENG-999\n",
  ])
  expect(await outcome(["status", "limits"], asker)).toEqual([2, expect.stringContaining("names nothing")])

  const [beside, why] = await outcome(["serve", "--port", "0"])
  expect(beside).toBe(2)
  expect(why.trim().split("\n")).toEqual([expect.stringContaining(`process ${first.child.pid}`)])
  expect(await stop(first)).toBe(0)

  const second = await start()
  expect(second.adminKey).toBeNull()
  expect((await fetch(`${second.url}/api/v1/keys`, { headers })).status).toBe(200)
  expect(await stop(second)).toBe(0)
}, 90_000)

it.each([
  ["stream", ["signalbox listens on ADDRESS", "  roles stream"]],
  ["worker", ["signalbox is at work; probes and figures on ADDRESS", "  roles worker"]],
  ["ingest,api", ["signalbox listens on ADDRESS", "  roles ingest, api", "  POST /webhooks/github"]],
])(
  "with the roles %s it greets with the addresses that these serve, and no others",
  async (roles, greeting) => {
    const child = signalbox(["serve", "--port", "0", "--roles", roles], { GITHUB_WEBHOOK_SECRET: "a secret" })
    const lines: string[] = []
    for await (const line of createInterface({ input: child.stdout })) {
      if (lines.length === 0) child.kill("SIGINT")
      lines.push(line.replace(/http:\S+/, "ADDRESS"))
    }
    const besides = roles.includes("ingest") ? /admin key| is off: / : /admin key/
    expect(lines.filter((line) => !besides.test(line))).toEqual(greeting)
  },
  60_000,
)

it("runs with the rules in the files that it is given", async () => {
  const files = await Promise.all(
    ["one", "two"].map(async (name) => {
      const file = join(dataDir, `${name}.mjs`)
      await writeFile(file, `export const rule = { name: "${name}", version: 1, find: () => [] }`)
      return file
    }),
  )
  const hub = await start(...files.flatMap((file) => ["--rule", file]))
  expect(hub.rules).toEqual([
    { name: "one", version: 1 },
    { name: "two", version: 1 },
  ])
  expect(await stop(hub)).toBe(0)
}, 60_000)

it.each([
  [["serve", "--rule", "/nonexistent.js"], {}, /there is no file \/nonexistent\.js/],
  [["serve"], { PORT: "abc" }, /PORT/],
  [["serve"], { DATABASE_URL: "postgres://nobody@127.0.0.1:1/none" }, /127\.0\.0\.1:1|DATABASE_URL/],
  [["sql"], {}, /give a query/],
  [["send", "/nonexistent"], {}, /cannot be read/],
  [["keys", "create", "x"], {}, /--scopes/],
  [["nonsense"], {}, /no command nonsense/],
  [["serve", "--nonsense"], {}, /nonsense/],
])("%j with %j fails with one line", async (args, env, words) => {
  const [status, said] = await outcome(args, env)
  expect(status).toBe(2)
  expect(said).toMatch(words)
  expect(said.trim().split("\n")).toHaveLength(1)
})
