import type { LoggedEvent } from "../core/envelope.ts"
import { parseFilter, type Filter } from "../core/filter.ts"
import { compileSelection, type Selection } from "../core/selection.ts"
import { streamSelection } from "../core/stream-definition.ts"
import type { Db } from "../store/database.ts"
import type { ReplayTarget } from "../store/replays.ts"
import { findStream } from "../store/streams.ts"

/** Whether an event's name is one that a handler's stands for. */
export type CompileName = (wanted: string) => (name: string) => boolean

/** Which events a replay is to hand on. */
export interface Wanted {
  /** What the database is asked for; all of these must hold. */
  filters: readonly Filter[]
  /** What is asked of the sender's own name of an event, and whether anything is. */
  hasName: (name: string) => boolean
  asksName: boolean
  /** What is asked of the event itself besides; undefined where the filters say it all. */
  matches: ((event: LoggedEvent) => boolean) | undefined
}

/** What a replay's filter, its consumer and the consumer's stream let pass together. */
export async function wantedOf(
  db: Db,
  target: Pick<ReplayTarget, "tenant" | "stream" | "filter">,
  filter: Filter,
  compileName: CompileName,
): Promise<Wanted> {
  const stream = await findStream(db, target.tenant, target.stream)
  const own = ownFilter(target.filter)
  const parts: Selection[] = [filter, own.filter]
  if (stream !== undefined) parts.push(streamSelection(stream))
  const all: Selection = { all: parts }
  const names = own.names.map(compileName)
  const filters = filtersOf(all)
  const isTold = isToldBy(all) && filters.every(({ where }) => where === undefined)
  return {
    filters,
    hasName: (name) => names.every((matches) => matches(name)),
    asksName: names.length > 0,
    matches: isTold ? undefined : compileSelection(all),
  }
}

/** A handler of a platform's events goes by their names, which no filter does. */
function ownFilter(stored: unknown): { filter: Filter; names: string[] } {
  if (typeof stored !== "object" || stored === null) return { filter: {}, names: [] }
  const { names = [], ...filter }: { names?: unknown } = stored
  return {
    filter: parseFilter(filter),
    names: Array.isArray(names) ? names.filter((name) => typeof name === "string") : [],
  }
}

/** The filters of which each must hold. */
function filtersOf(selection: Selection): Filter[] {
  if ("all" in selection) return selection.all.flatMap(filtersOf)
  return "any" in selection ? [] : [selection]
}

/** Whether nothing is asked but that some filters hold. */
function isToldBy(selection: Selection): boolean {
  if ("all" in selection) return selection.all.every(isToldBy)
  return !("any" in selection)
}
