import { spawn } from "node:child_process"
import { open, rename, stat } from "node:fs/promises"
import { setTimeout as sleep } from "node:timers/promises"
import { SignalboxError } from "../../core/errors.ts"
import type { Account } from "./account.ts"
import { serverEnvironment } from "./cluster.ts"
import { isRunning } from "./postmaster-record.ts"
import { signalProcess } from "./processes.ts"

const maxLogBytes = 16 * 1024 * 1024

/** How a server is started. */
export interface Launch {
  /** Program and arguments. */
  command: string[]
  account: Account | undefined
  /** File that takes what the server writes; it outlives us, so the server can too. */
  logFile: string
}

/** A server process just started. */
export interface Launched {
  pid: number
  /** Settles when the process ends, with the reason as the server gave it. */
  ended: Promise<string>
}

/** Starts a server in a session of its own, so that a Ctrl-C meant for us does not reach it. */
export async function launch({ command, account, logFile }: Launch): Promise<Launched> {
  await rotate(logFile)
  const log = await open(logFile, "a", 0o600)
  const start = (await log.stat()).size
  try {
    const [program = "", ...args] = command
    const child = spawn(program, args, {
      cwd: "/",
      env: serverEnvironment(),
      detached: true,
      stdio: ["ignore", log.fd, log.fd],
      ...(account === undefined ? {} : { uid: account.uid, gid: account.gid }),
    })
    const ended = new Promise<string>((resolve) => {
      child.once("error", (error) => resolve(error.message))
      child.once("exit", (code, signal) => {
        const plainly = `it ended with ${signal ?? code}`
        lastWords(logFile, start).then(
          (words) => resolve(words ?? plainly),
          () => resolve(plainly), // after a stop the log may be gone with its folder
        )
      })
    })
    child.unref()
    if (child.pid === undefined) throw new SignalboxError("configuration", cannotStart(await ended, logFile))
    return { pid: child.pid, ended }
  } finally {
    await log.close()
  }
}

/** One line on a server that would not start. */
export function cannotStart(reason: string, logFile: string): string {
  return `the embedded PostgreSQL could not start (${reason}): see ${logFile}, or set DATABASE_URL`
}

/**
 * Ends a server and waits until it is gone: a fast shutdown, which rolls back what is open and
 * writes a checkpoint; without one after `patienceMs` an immediate shutdown, then SIGKILL.
 */
export async function endPostmaster(pid: number, cluster: string, patienceMs = 60_000): Promise<void> {
  for (const [signal, waitMs] of [
    ["SIGINT", patienceMs],
    ["SIGQUIT", 5_000],
    ["SIGKILL", 5_000],
  ] as const) {
    if (!(await isRunning(pid, cluster))) return
    signalProcess(pid, signal)
    const deadline = Date.now() + waitMs
    while (Date.now() < deadline) {
      if (!(await isRunning(pid, cluster))) return
      await sleep(10)
    }
  }
}

async function rotate(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined)
  if (found !== undefined && found.size > maxLogBytes) await rename(path, `${path}.1`)
}

// The server says why it gave up in its last FATAL or PANIC line.
async function lastWords(path: string, start: number): Promise<string | undefined> {
  const file = await open(path, "r")
  try {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(16_384), position: start })
    const lines = buffer.toString("utf8", 0, bytesRead).split("\n")
    const fatal = lines.findLast((line) => /\b(FATAL|PANIC):/.test(line))
    return fatal?.replace(/^.*?\b(FATAL|PANIC):\s+/, "").trim()
  } finally {
    await file.close()
  }
}
