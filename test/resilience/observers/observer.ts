import type { Gap } from "../../../src/client/index.ts"

/** A consumer that writes down what it is given, and goes on by itself whatever becomes of its connections. */
export interface Observer extends AsyncDisposable {
  readonly name: string
  readonly log: Sightings
}

/** What a consumer has seen. */
export interface Sightings {
  /** Positions in the order in which they were handed over. */
  readonly positions: number[]
  /** Gaps that it was told of, `to` included. */
  readonly gaps: Gap[]
  /** Connections that were opened in the place of one that was lost. */
  reconnects: number
  /** What made the client give up for good, so that it had to be started again from outside. */
  readonly givenUp: string[]
  /** Answers that were no stream, by status. */
  readonly refusals: Record<number, number>
}

/** Where and what a consumer observes. */
export interface Observed {
  name: string
  /** Address of the proxy before the hub. */
  url: string
  key: string
  /** Types that it wants; all where absent. */
  types?: string | undefined
}

/** Begins a record. */
export function sightings(): Sightings {
  return { positions: [], gaps: [], reconnects: 0, givenUp: [], refusals: {} }
}

/** Position up to which everything was told, in events or gaps; 0 before the first. */
export function reached({ positions, gaps }: Sightings): number {
  return Math.max(positions.at(-1) ?? 0, gaps.at(-1)?.to ?? 0)
}

/** The query of a stream that begins behind a position. */
export function streamQuery({ types }: Pick<Observed, "types">, after: number): string {
  return `?after=${after}&heartbeat=1${types === undefined ? "" : `&types=${types}`}`
}
