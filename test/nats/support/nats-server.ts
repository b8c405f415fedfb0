import { execFile, spawn, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, rm } from "node:fs/promises"
import { connect, createServer, type AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { promisify } from "node:util"
import { onTestFinished } from "vitest"

const run = promisify(execFile)
const env = { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/usr/local/sbin` }

/** Why tests with NATS cannot run here; undefined where they can. */
export const withoutNats: string | undefined = await run("nats-server", ["--version"], { env }).then(
  () => undefined,
  () => "there is no nats-server on this machine (Debian: apt-get install nats-server)",
)
// oxlint-disable-next-line no-console -- whoever reads the result of the tests should know
if (withoutNats !== undefined) console.warn(`tests with NATS are skipped: ${withoutNats}`)

/** A nats-server of a test's own, with JetStream; gone after the test. */
export interface OwnNats {
  /** The same over restarts. */
  url: string
  /** Starts it, with what it stored before, or with nothing at all. */
  start(store?: "same" | "empty"): Promise<void>
  /** Ends it at once, without a word to anybody. */
  kill(): Promise<void>
  /** Holds it still, as a machine that hangs; connections stay open. */
  freeze(): void
  thaw(): void
}

/** Makes one on a free port, within a test; it runs once `start` is called. */
export async function ownNats(options: readonly string[] = []): Promise<OwnNats> {
  const folder = await mkdtemp(join(tmpdir(), "signalbox-nats-"))
  const port = await freePort()
  let child: ChildProcess | undefined
  let stores = 0

  async function kill(): Promise<void> {
    const ended = child
    child = undefined
    if (ended === undefined || ended.exitCode !== null || ended.signalCode !== null) return
    const gone = once(ended, "exit")
    ended.kill("SIGKILL")
    await gone
  }

  async function start(store: "same" | "empty" = "same"): Promise<void> {
    if (store === "empty") stores++
    const directory = join(folder, `store-${stores}`)
    const place = ["-a", "127.0.0.1", "-p", String(port), "-js", "-sd", directory]
    child = spawn("nats-server", [...place, ...options], { env, stdio: "ignore" })
    await answers(port)
  }

  onTestFinished(async () => {
    await kill()
    await rm(folder, { recursive: true, force: true })
  })
  return {
    url: `nats://127.0.0.1:${port}`,
    start,
    kill,
    freeze: () => void child?.kill("SIGSTOP"),
    thaw: () => void child?.kill("SIGCONT"),
  }
}

/** A port on which nobody listens. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, "close")
  return port
}

async function answers(port: number): Promise<void> {
  for (let tries = 0; ; tries++) {
    const socket = connect(port, "127.0.0.1")
    try {
      await once(socket, "data") // its INFO
      return
    } catch (error) {
      if (tries > 400) throw error
    } finally {
      socket.destroy()
    }
    await sleep(25)
  }
}
