import { execFile } from "node:child_process"
import { readFile, readdir, readlink } from "node:fs/promises"
import { promisify } from "node:util"
import { errorCode } from "../system-error.ts"

const run = promisify(execFile)

/** The command line of a running process; undefined for one that has ended, a zombie among them. */
export async function commandLine(pid: number): Promise<string[] | undefined> {
  if (process.platform !== "linux") return commandLineByPs(pid)
  const text = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")
  return text === "" ? undefined : text.replace(/\0$/, "").split("\0")
}

// Without /proc the arguments cannot be told apart where they hold spaces; good enough to recognize.
async function commandLineByPs(pid: number): Promise<string[] | undefined> {
  const found = await run("ps", ["-o", "stat=,command=", "-p", String(pid)]).catch(() => undefined)
  const [state, ...command] = found?.stdout.trim().split(/\s+/) ?? []
  return state === undefined || state.startsWith("Z") || command.length === 0 ? undefined : command
}

/** Whether the program file of a process was replaced or removed since it started; false if unknown. */
export async function programIsGone(pid: number): Promise<boolean> {
  const program = await readlink(`/proc/${pid}/exe`).catch(() => "")
  return program.endsWith(" (deleted)")
}

/** Ids of the processes whose title starts with `title`. */
export async function processesTitled(title: string): Promise<number[]> {
  if (process.platform !== "linux") {
    const { stdout } = await run("ps", ["-axo", "pid=,command="], { maxBuffer: 1 << 26 })
    const rows = stdout.split("\n").map((line) => /^\s*(\d+)\s+(.*)$/.exec(line))
    return rows.flatMap((row) => (row?.[2]?.startsWith(title) ? [Number(row[1])] : []))
  }
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number)
  const titles = await Promise.all(pids.map(commandLine))
  return pids.filter((_, index) => titles[index]?.[0]?.startsWith(title))
}

/** Sends a signal; false where the process is gone already. */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal)
  } catch (error) {
    if (errorCode(error) === "ESRCH") return false
    throw error
  }
}

/** Whether a process has this id, zombies and those of other users included. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return errorCode(error) === "EPERM"
  }
}
