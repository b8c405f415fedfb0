import { createHash, randomBytes } from "node:crypto"
import { readFile, rename, rm } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import type { Address } from "./address.ts"
import { commandLine, isAlive, processesTitled, signalProcess } from "./processes.ts"

const statuses = ["starting", "ready", "stopping", "standby"] as const

/** What a server says of itself in its cluster's postmaster.pid. */
export interface PostmasterRecord {
  pid: number
  port: number
  socketDir: string
  status: (typeof statuses)[number]
  /** The command line it runs with. */
  command: string[]
}

/** The server that runs on a cluster; undefined where none does, whatever the file says. */
export async function runningPostmaster(cluster: string): Promise<PostmasterRecord | undefined> {
  const text = await readFile(join(cluster, "postmaster.pid"), "utf8").catch(() => undefined)
  const [pid, , , port, socketDir, , , status] = text?.split("\n") ?? []
  if (!pid) return undefined
  const command = await commandLine(Number(pid))
  if (command === undefined || !isPostmaster(command, cluster)) return undefined
  return {
    pid: Number(pid),
    port: Number(port),
    socketDir: socketDir ?? "",
    status: statuses.find((known) => known === status?.trim()) ?? "starting",
    command,
  }
}

/** Whether the process is the server of that cluster: a pid alone may have passed to another program. */
export async function isRunning(pid: number, cluster: string): Promise<boolean> {
  const command = await commandLine(pid)
  return command !== undefined && isPostmaster(command, cluster)
}

function isPostmaster(command: string[], cluster: string): boolean {
  return /(^|\/)postgres$/.test(command[0] ?? "") && command.join(" ").includes(`-D ${cluster} `)
}

/** Name of a cluster in the titles of its server's processes. */
export function clusterName(cluster: string): string {
  return `signalbox-${createHash("sha256").update(cluster).digest("hex").slice(0, 12)}`
}

/**
 * Clears what a killed server left. Its children end by themselves as soon as they notice, and are
 * ended if they do not: two generations of processes on the same files would ruin them.
 */
export async function clearRemains(
  cluster: string,
  { socketDir, port }: Address,
  log: (message: string) => void,
): Promise<void> {
  const title = `postgres: ${clusterName(cluster)}: `
  for (let round = 0; ; round++) {
    const orphans = await processesTitled(title)
    if (orphans.length === 0 || (await runningPostmaster(cluster)) !== undefined) break
    if (round === 20) log(`ending ${orphans.length} processes that a killed PostgreSQL left behind`)
    if (round >= 20) for (const pid of orphans) signalProcess(pid, round < 60 ? "SIGQUIT" : "SIGKILL")
    await sleep(50)
  }
  for (const path of [join(cluster, "postmaster.pid"), join(socketDir, `.s.PGSQL.${port}.lock`)]) {
    await dropForeignLock(path, cluster, log)
  }
}

// A lock file whose number has passed to another program (after a restart of the machine), or is
// kept by a dead process that nobody reaps (in a container), makes PostgreSQL see a server there and
// refuse. One that names no process at all is left to PostgreSQL, which checks shared memory too.
async function dropForeignLock(path: string, cluster: string, log: (message: string) => void): Promise<void> {
  const text = await readFile(path, "utf8").catch(() => undefined)
  const pid = Number(text?.split("\n")[0])
  if (!(pid > 0) || (await isRunning(pid, cluster)) || !isAlive(pid)) return
  const aside = `${path}.${randomBytes(4).toString("hex")}`
  await rename(path, aside)
  if ((await readFile(aside, "utf8")) === text) {
    log(`process ${pid} is not the PostgreSQL of ${cluster}: the old lock file ${path} is removed`)
    await rm(aside)
  } else {
    await rename(aside, path) // another starter's server, come up in between
  }
}
