import type { LogTruth } from "./log-truth.ts"
import type { Sightings } from "./observers/observer.ts"

/** What a consumer was promised. */
export interface Promised {
  /** Types that it asked for; all where absent. */
  types?: string | undefined
  /**
   * `log`: each event once, in the order of positions. `entity`: each at least once, and for the first time in order
   * for each entity.
   */
  order: "log" | "entity"
}

/** Whether a consumer got what it was promised. All but `gapsTold` should be 0. */
export interface Verdict {
  /** Events that it never saw, and that no gap told it of: silent gaps. */
  missing: number
  /** Events that it was handed again. */
  repeated: number
  /** Events that came after a later one. */
  disordered: number
  /** Events that it did not ask for. */
  unasked: number
  /** Positions that it was told were gone although they were not. */
  falselyGone: number
  /** Positions that it was told are gone, and are. */
  gapsTold: number
  /** The first positions at fault, for whoever looks into it. */
  at: number[]
}

/** Compares what a consumer saw with the log. */
export function judge(log: Sightings, { types, order }: Promised, truth: LogTruth): Verdict {
  const entities = new Map(truth.events.map(({ position, entity }) => [position, entity ?? ""]))
  const wanted = new Set(
    truth.events.filter(({ type }) => types === undefined || type === types).map(({ position }) => position),
  )
  const told = new Set(log.gaps.flatMap(({ from, to }) => range(from, to)))
  const latest = new Map<string, number>() // of each line that has an order of its own
  const seen = new Set<number>()
  const at: number[] = []
  const verdict = { missing: 0, repeated: 0, disordered: 0, unasked: 0, falselyGone: 0, gapsTold: 0 }
  const blame = (fault: keyof typeof verdict, position: number): void => {
    verdict[fault]++
    if (at.length < 10) at.push(position)
  }
  const repeat = (position: number): void => {
    if (order === "log") blame("repeated", position)
    else verdict.repeated++
  }
  const arrive = (position: number): void => {
    const line = order === "log" ? "" : (entities.get(position) ?? "")
    if (position < (latest.get(line) ?? 0)) blame("disordered", position)
    else latest.set(line, position)
  }
  for (const position of log.positions) {
    if (!wanted.has(position)) blame("unasked", position)
    else if (seen.has(position)) repeat(position)
    else arrive(position)
    seen.add(position)
  }
  for (const position of wanted) if (!seen.has(position) && !told.has(position)) blame("missing", position)
  for (const position of told) {
    if (truth.retired.has(position)) verdict.gapsTold++
    else blame("falselyGone", position)
  }
  return { ...verdict, at }
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index)
}
