import { readFileSync } from "node:fs"

const tickMicros = 10_000 // USER_HZ is 100 wherever Linux runs

/** Microseconds of processor time that each process has used so far. */
export type CpuTimes = ReadonlyMap<number, number>

/** Reads them; a process that is none of this machine's Linux, or not one of `program`, is left out. */
export function cpuTimes(pids: readonly number[], program = ""): CpuTimes {
  return new Map(
    pids.flatMap((pid) => {
      const micros = microsOf(pid, program)
      return micros === undefined ? [] : [[pid, micros] as const]
    }),
  )
}

/**
 * Microseconds used between two readings, of which the later one may have new processes. Nearly the same
 * whatever else runs on the machine, as a rate is not. NaN where nothing could be read.
 */
export function cpuBetween(before: CpuTimes, after: CpuTimes): number {
  if (after.size === 0) return Number.NaN
  let micros = 0
  for (const [pid, used] of after) micros += used - (before.get(pid) ?? 0)
  return micros
}

function microsOf(pid: number, program: string): number | undefined {
  try {
    // proc(5): the name stands in parentheses and may hold anything; after it, utime is the 12th field.
    const stat = /^\d+ \((.*)\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))
    const [, name = "", rest = ""] = stat ?? []
    if (!name.includes(program)) return undefined // of a server elsewhere: the number is another's
    const [user, system] = rest.split(" ").slice(11, 13)
    return (Number(user) + Number(system)) * tickMicros
  } catch {
    return undefined
  }
}
