import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, rm } from "node:fs/promises"
import { createServer, type Server } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { PassThrough } from "node:stream"
import { text } from "node:stream/consumers"
import { fileURLToPath } from "node:url"
import { expect, it, onTestFinished } from "vitest"
import { watchOutput } from "../../src/cli/output.ts"

const program = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url))

/** The program, whose output nobody reads from the start. */
function unread(args: string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [program, ...args], {
    env: { PATH: process.env["PATH"], ...env },
    stdio: ["ignore", "pipe", "pipe"],
  })
  onTestFinished(() => void child.kill("SIGKILL"))
  child.stdout.destroy()
  return { child, ended: once(child, "exit") as Promise<[number | null]> }
}

async function portOf(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  return typeof address === "object" && address !== null ? address.port : 0
}

it.each([[["help"]], [["tail", "--help"]], [["correlation", "rules"]], [["correlation", "rules", "--json"]]])(
  "%j ends without a complaint when nobody reads what it prints",
  async (args) => {
    const { child, ended } = unread(args)
    expect([await text(child.stderr), await ended]).toEqual(["", [0, null]])
  },
)

it("what would go on asking ends where nobody reads the answers", async () => {
  let asked = 0
  const hub = createServer((_, response) => {
    asked++
    response.setHeader("content-type", "application/json")
    response.end(JSON.stringify({ deadLetters: [letter], nextCursor: `${asked}` }))
  })
  const url = `http://127.0.0.1:${await portOf(hub)}`
  onTestFinished(() => void hub.close())
  const { child, ended } = unread(["dead-letters"], { SIGNALBOX_URL: url, SIGNALBOX_API_KEY: "sb_some" })
  expect([await text(child.stderr), await ended]).toEqual(["", [0, null]])
  expect(asked).toBeGreaterThan(0)
})

const letter = {
  id: "1",
  kind: "handler",
  eventId: "e",
  attempts: 3,
  errorCode: "internal",
  error: "no such board",
  status: "open",
  createdAt: "2026-11-20T10:00:00Z",
}

it("a hub serves on when nobody reads its log", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "signalbox-unread-"))
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }))
  const taken = createServer()
  const port = await portOf(taken)
  await new Promise((resolve) => void taken.close(resolve))
  const env = { SIGNALBOX_DATA_DIR: dataDir, HOST: "127.0.0.1", LOG_LEVEL: "debug" }
  const { child, ended } = unread(["serve", "--port", String(port)], env)
  child.stderr.destroy()
  const isReady = () =>
    fetch(`http://127.0.0.1:${port}/readyz`).then(
      ({ status }) => status,
      () => 0,
    )
  await expect.poll(isReady, { timeout: 60_000, interval: 100 }).toBe(200)
  for (let times = 0; times < 20; times++) {
    const refused = await fetch(`http://127.0.0.1:${port}/webhooks/custom`, { method: "POST", body: "{}" })
    await refused.text()
  }
  expect(await isReady()).toBe(200)
  child.kill("SIGINT")
  expect(await ended).toEqual([0, null])
}, 90_000)

it("a command whose work outlives its reader prints nothing more; what else breaks the output is told", async () => {
  const stream = new PassThrough()
  const { out } = watchOutput(stream)
  out("one")
  stream.emit("error", Object.assign(new Error("write EPIPE"), { code: "EPIPE" }))
  out("two", true)
  expect(() => out("three")).toThrow("nobody reads on")
  expect(String(stream.read())).toBe("one\n")
  const full = Object.assign(new Error("write ENOSPC"), { code: "ENOSPC" })
  expect(() => stream.emit("error", full)).toThrow(full)
})
