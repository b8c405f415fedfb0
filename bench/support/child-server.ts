import { fork } from "node:child_process"
import { once } from "node:events"
import { tuneProcess } from "../../src/tune-process.ts"

/** A server in a process of its own. */
export interface ChildServer {
  port: number
  pid: number
  /** Asks it to end, and waits until it has. */
  stop(): Promise<void>
}

/** Starts a script that calls `announce` when it listens; what it prints goes to our stderr. */
export async function startChild(
  script: URL,
  env: Readonly<Record<string, string>>,
  execArgv: readonly string[] = [],
): Promise<ChildServer> {
  const child = fork(script, {
    env: { ...process.env, ...env },
    execArgv: [...execArgv],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  })
  const exited = once(child, "exit")
  const port = await Promise.race([
    once(child, "message").then(([message]) => Number(message)),
    exited.then(([code]) => {
      throw new Error(`${script.pathname} ended with ${String(code)} before it listened`)
    }),
  ])
  return {
    port,
    pid: child.pid ?? 0,
    async stop() {
      if (child.connected) child.send("stop")
      await exited
    },
  }
}

/** In the child: sets V8 up as `signalbox serve` does, whosever server it is, tells the parent the port, and calls `stop` when the parent asks or is gone. */
export function announce(port: number, stop: () => Promise<void>): void {
  tuneProcess()
  const end = () => void stop().then(() => process.exit(0))
  process.once("message", end)
  process.once("disconnect", end)
  process.send?.(port)
}
