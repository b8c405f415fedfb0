import type { Finding } from "../../../core/remote.ts"

/** A part of a sweep that is read on its own: the deliveries of one hook, the comments of one repository. */
export interface Strand {
  /** Names it in the cursor, the same at every start. */
  key: string
  /** Its pages from `position` on, null for its beginning. */
  pages(position: string | null): AsyncIterable<StrandPage>
}

export interface StrandPage {
  findings: readonly Finding[]
  /** Where the next page begins; null for the last one. */
  position: string | null
  progress: string
}

/** GitHub's clock and ours may differ by so much; what is looked at twice for it is known the second time. */
export const clockSlackMs = 2 * 60 * 1000

/** A time as progress shows it: `11-21 13:05`, in UTC. */
export function clockText(time: Date): string {
  return time.toISOString().slice(5, 16).replace("T", " ")
}
