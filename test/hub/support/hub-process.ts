import { spawn, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { adminKey } from "../../support/hub.ts"

const program = fileURLToPath(new URL("../../../src/cli/main.ts", import.meta.url))

/** A hub as a user runs it. */
export interface HubProcess extends AsyncDisposable {
  child: ChildProcess
  url: string
  /** Ends it, and resolves when it is gone. */
  end(signal: NodeJS.Signals): Promise<void>
}

/** Starts `signalbox serve` on a free port. */
export async function startHubProcess(env: Readonly<Record<string, string>>): Promise<HubProcess> {
  const child = spawn(process.execPath, [program, "serve", "--json", "--port", "0"], {
    env: { ...process.env, SIGNALBOX_ADMIN_KEY: adminKey, HOST: "127.0.0.1", LOG_LEVEL: "fatal", ...env },
    stdio: ["ignore", "pipe", "inherit"],
  })
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill(signal)
    await once(child, "exit")
  }
  for await (const line of createInterface({ input: child.stdout })) {
    const message: unknown = JSON.parse(line)
    if (typeof message === "object" && message !== null && "url" in message) {
      return { child, url: String(message.url), end, [Symbol.asyncDispose]: () => end("SIGTERM") }
    }
  }
  throw new Error("the hub ended before it was ready")
}
