import type { LoggedRecord } from "../../../../core/remote.ts"
import { SignalboxError } from "../../../../core/errors.ts"
import { at, list, time } from "../../read.ts"
import type { Client } from "../client.ts"
import { clockText, type Strand, type StrandPage } from "../strand.ts"

export interface NewestFirst {
  key: string
  client: Client
  /** Address of the first page, sorted by `sortedBy`, the newest first. The same at every sweep, for its ETag. */
  path: string
  /** For people: `issues of acme/api`. */
  label: string
  /** The field that it is sorted by. */
  sortedBy: string
  /** Entries older than this are not read. */
  since: Date
  /** Whether an entry goes back to the top when it changes. */
  moves: boolean
  /** Time of now, by GitHub's clock or one behind it. */
  now(): Date
  records(entries: readonly unknown[]): LoggedRecord[] | Promise<LoggedRecord[]>
}

interface Position {
  path: string
  floor: Date
  began: Date
}

/**
 * Reads a list from its newest entry back to `since`. While several pages are read, an entry that
 * changes jumps from one that is not read yet to the first, which is: so the list is read again, back
 * to where the last reading began, until one page is enough.
 */
export function newestFirst(options: NewestFirst): Strand {
  const { key, client, path, label, sortedBy, since, moves, now, records } = options
  return { key, pages }

  async function* pages(from: string | null): AsyncGenerator<StrandPage> {
    let position = positionOf(from) ?? { path, floor: since, began: now() }
    for (;;) {
      const answer = await client.get(position.path, `the ${label}`).catch(emptyWhereOff)
      const entries = list(answer, "data")
      const times = entries.map((entry) => time(entry, sortedBy)?.getTime() ?? 0)
      const oldest = Math.min(...times)
      const floor = position.floor.getTime()
      const next = following(position, answer.next !== null && oldest >= floor ? answer.next : null)
      yield {
        findings: await records(entries.filter((_entry, index) => (times[index] ?? 0) >= floor)),
        position: next === null ? null : JSON.stringify(next),
        progress:
          entries.length === 0 ? label : `${label}, back to ${clockText(new Date(Math.max(oldest, floor)))}`,
      }
      if (next === null) return
      position = next
    }
  }

  function following(position: Position, next: string | null): Position | null {
    if (next !== null) return { ...position, path: next }
    // Only what took more than one page may have missed something.
    if (!moves || position.path === path) return null
    return { path, floor: position.began, began: now() }
  }
}

// 410: issues are turned off. 409: the repository is empty.
function emptyWhereOff(error: unknown): { data: unknown; next: string | null } {
  if (error instanceof SignalboxError && (error.status === 410 || error.status === 409)) {
    return { data: [], next: null }
  }
  throw error
}

function positionOf(from: string | null): Position | null {
  if (from === null) return null
  const saved: unknown = JSON.parse(from)
  const floor = time(saved, "floor")
  const began = time(saved, "began")
  const path = at(saved, "path")
  return floor === null || began === null || typeof path !== "string" ? null : { path, floor, began }
}
