import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, rm, stat } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { json, text } from "node:stream/consumers"
import { fileURLToPath } from "node:url"
import { afterAll, expect, it, onTestFinished, vi } from "vitest"
import { sendPing } from "./ping.ts"

const program = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url))
const dataDir = await mkdtemp(join(tmpdir(), "signalbox-sources-"))
afterAll(() => rm(dataDir, { recursive: true, force: true }))

function signalbox(...args: string[]) {
  const child = spawn(process.execPath, [program, ...args, "--json"], {
    env: { PATH: process.env["PATH"], SIGNALBOX_DATA_DIR: dataDir, HOST: "127.0.0.1", LOG_LEVEL: "error" },
    stdio: ["ignore", "pipe", "pipe"],
  })
  onTestFinished(() => void child.kill("SIGKILL"))
  return child
}

async function start() {
  const child = signalbox("serve", "--port", "0")
  for await (const line of createInterface({ input: child.stdout })) {
    const { url }: { url?: string } = JSON.parse(line)
    if (url !== undefined) return { child, url }
  }
  throw new Error(`it ended before it was ready: ${await text(child.stderr)}`)
}

const deliver = (url: string, secret: string) => sendPing(`${url}/webhooks/github/acme`, secret)

it("beside its own PostgreSQL nothing has to be set: the command makes the key, the hub finds it", async () => {
  const first = await start()
  await expect(stat(join(dataDir, "encryption.key"))).rejects.toMatchObject({ code: "ENOENT" })

  const added = signalbox("sources", "add", "github/acme")
  const [made, complaint] = await Promise.all([json(added.stdout), text(added.stderr)])
  expect(complaint).toBe("")
  const { secret } = made as { secret: string }
  expect((await stat(join(dataDir, "encryption.key"))).mode & 0o777).toBe(0o600)
  await vi.waitFor(async () => expect(await deliver(first.url, secret)).toBe(202), 3_000)
  first.child.kill("SIGTERM")
  await once(first.child, "exit")

  const second = await start()
  expect(await deliver(second.url, secret)).toBe(202)
  second.child.kill("SIGTERM")
  expect(await once(second.child, "exit")).toEqual([0, null])
}, 90_000)
