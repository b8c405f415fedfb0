import type { Pool } from "pg"
import type { Clock } from "../core/clock.ts"
import type { Lease } from "../store/consumer-leases.ts"
import type { Settlement } from "../store/deliveries.ts"
import { blockedKeys, releaseHeld } from "../store/held-deliveries.ts"
import { workKey, type Work } from "./work.ts"

/** An event, and the replay that hands it on, if any. */
type Ordered = Pick<Work, "event" | "replayId">

/**
 * Keeps the events of an entity in order over failures: while one of them waits for another attempt, the
 * later ones are held in the database, and no event of another entity waits for them. What a replay hands on
 * has an order of its own: it holds up nothing that is new, and is held up by nothing of that.
 */
export interface EntityOrder {
  /** Learns what is held already, and sets free what waits for nothing. */
  load(): Promise<void>
  /** Whether an event that is new waits behind another. */
  isBlocked(work: Ordered): boolean
  /** To be asked for before what is due is taken. */
  ticket(): number
  /** Whether an event that was taken with this ticket has to wait after all. */
  mustWait(work: Ordered, ticket: number): boolean
  /** What an attempt came to, before anything else of its entity may start; answers the settlement to write. */
  decided(work: Ordered, settlement: Settlement): Settlement
  /** Called once the settlement of what ran is in the database. */
  settled(work: Ordered): Promise<void>
  /** Puts back by `write` what was begun and has to wait for an earlier event. */
  putBack(work: Ordered, write: () => Promise<void>): Promise<void>
  /** Called once an event that is new is in the database as held. */
  held(work: Ordered): Promise<void>
}

interface Blocked {
  /**
   * `stopped` until the event that failed comes to its end; then `ready` for some of what is held to be
   * released, which is then run while it is `draining`.
   */
  phase: "stopped" | "ready" | "draining"
  /** The event that failed, while it is stopped. */
  head: string | null
  /** Released and not settled yet, while it is draining. */
  outstanding: number
  /** What was taken before is not of what was released. */
  drainingSince: number
  /** Being put back: nothing is released before these are, or later ones would overtake them. */
  pending: number
  /** Rises with every event that is held or fails: whoever looked for what may go on meanwhile looks again. */
  changes: number
}

const releaseSize = 32

/** Makes the order of one partition. `onDue` is called when something was released. */
export function createEntityOrder(
  pool: Pool,
  lease: Lease,
  clock: Clock,
  onDue: (at: Date) => void,
): EntityOrder {
  const blocked = new Map<string, Blocked>()
  const releasing = new Set<string>()
  let turn = 0

  function block(key: string, head: string | null): Blocked {
    const phase = head === null ? "ready" : "stopped"
    const state: Blocked = { phase, head, outstanding: 0, drainingSince: 0, pending: 0, changes: 0 }
    blocked.set(key, state)
    return state
  }

  async function release(key: string): Promise<void> {
    if (releasing.has(key)) return
    releasing.add(key)
    try {
      for (let state = blocked.get(key); state !== undefined; state = blocked.get(key)) {
        if (state.phase !== "ready" || state.pending > 0) return
        const { changes } = state
        const now = clock()
        const { released, waiting } = await releaseHeld(pool, lease, key, now, releaseSize)
        if (released > 0) onDue(now)
        // Where something was put back meanwhile, what was released is put back as well when it is taken.
        if (state.pending > 0 || state.changes !== changes) continue
        if (released > 0)
          Object.assign(state, { phase: "draining", outstanding: released, drainingSince: ++turn })
        else if (!waiting) blocked.delete(key)
        return // what waits was due before: it is put back when it is taken, and comes back here
      }
    } finally {
      releasing.delete(key)
    }
  }

  async function held(work: Ordered): Promise<void> {
    const key = workKey(work)
    const state = blocked.get(key)
    // Without one, what it was held for came to its end while it was written.
    if (state === undefined) block(key, null)
    else state.changes++
    await release(key)
  }

  return {
    async load() {
      blocked.clear()
      for (const { key, head } of await blockedKeys(pool, lease)) {
        block(key, head)
        if (head === null) await release(key)
      }
    },
    isBlocked: (work) => blocked.has(workKey(work)),
    ticket: () => turn,
    mustWait(work, ticket) {
      const state = blocked.get(workKey(work))
      if (state === undefined) return false
      if (state.phase === "stopped") return state.head !== work.event.id
      return state.phase === "ready" || state.drainingSince > ticket
    },
    decided(work, settlement) {
      const { event } = work
      const key = workKey(work)
      const state = blocked.get(key)
      if (settlement.status === "retrying") {
        const failing = state ?? block(key, event.id)
        Object.assign(failing, { phase: "stopped", head: event.id, changes: failing.changes + 1 })
        return { ...settlement, orderKey: key }
      }
      if (state?.phase === "stopped" && state.head === event.id) {
        Object.assign(state, { phase: "ready", head: null })
      } else if (state?.phase === "draining" && --state.outstanding <= 0) state.phase = "ready"
      return settlement
    },
    async settled(work) {
      await release(workKey(work))
    },
    async putBack(work, write) {
      const state = blocked.get(workKey(work)) ?? block(workKey(work), null)
      state.pending++
      if (state.phase === "draining") state.phase = "ready" // what follows it is to be put back too
      await write()
      state.pending--
      await held(work)
    },
    held,
  }
}
