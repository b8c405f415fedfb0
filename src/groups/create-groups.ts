import { SignalboxError } from "../core/errors.ts"
import type { Log } from "../core/log.ts"
import { uuidv7 } from "../core/uuid.ts"
import { findGroup, noSuchGroup } from "../store/consumer-groups.ts"
import { transaction, type Database } from "../store/database.ts"
import {
  commitPlaces,
  deleteMember,
  insertMember,
  releasePlaces,
  type Place,
} from "../store/group-members.ts"
import { logHead } from "../store/log-pages.ts"
import type { Feed } from "../streaming/feed.ts"
import type { StreamDefinitions } from "../streaming/stream-definitions.ts"
import { fetchEvents, versionOf, type FetchRequest, type Fetched } from "./fetch-events.ts"
import { createGroupViews } from "./group-view.ts"
import { createLiveGroup, type HeldPlace, type LiveGroup } from "./live-group.ts"
import { createNewsDesk } from "./news.ts"
import { createPresence, unknownMember, type Attachment } from "./presence.ts"
import type { SharedHistory } from "./shared-history.ts"
import { createWait, untilAborted } from "./wait.ts"

/** A member of a group, as a request names it. */
export interface MemberName {
  tenant: string
  group: string
  member: string
}

/** What a member holds, and what of that it should finish and give back. */
export interface Assignment {
  /** Equal for equal assignments. */
  version: string
  /** Positions are those that were committed last. */
  assignments: Place[]
  revoking: number[]
}

/** A request that may be held open: `gone` is aborted when its connection breaks. */
export interface HeldRequest {
  waitMs: number
  gone: AbortSignal
}

/** The consumer groups as a process serves their members. */
export interface Groups {
  /** Lets a program in as a member. Throws `not_found`, or `too_many_requests` where the group is full. */
  join(
    tenant: string,
    group: string,
    name: string,
  ): Promise<{ member: string; sessionMs: number; partitions: number }>
  /** Ends a member: what it holds is free at once. */
  leave(name: MemberName): Promise<void>
  /** Shows that a member is alive and waits for another assignment than the one of version `known`. */
  heartbeat(name: MemberName, request: HeldRequest & { known?: string | undefined }): Promise<Assignment>
  /** What follows in the member's partitions, as soon as there is something. Throws `gone` at a gap, unless it is to be told. */
  fetch(name: MemberName, request: HeldRequest & FetchRequest): Promise<Fetched>
  /**
   * Moves the cursors of partitions to where they are done, all or none, and gives back those of `release`.
   * Throws `stale_generation`, and changes nothing, where one is not the member's by this generation any more.
   */
  commit(name: MemberName, places: readonly Place[], release: readonly Place[]): Promise<void>
  /** Notes a connection of a member that stays over many requests; to be called after one. */
  stay(name: MemberName): Attachment
  start(): void
  /** Answers all that wait, and ends. */
  stop(): Promise<void>
}

export interface GroupsOptions {
  database: Database
  feed: Feed
  history: SharedHistory
  definitions: Pick<StreamDefinitions, "find" | "onHint">
  log: Log
}

/** Makes the groups of a process. Whatever they know is in the database: any process may serve any request. */
export function createGroups({ database, feed, history, definitions, log }: GroupsOptions): Groups {
  const pool = database.work
  const live = new Map<string, LiveGroup>()
  const desk = createNewsDesk(feed, () => {
    history.forget()
    for (const group of live.values()) group.changed()
  })
  const viewOf = createGroupViews(database, definitions)
  const stopping = new AbortController()
  let unfollow: (() => void) | undefined
  const deafen = definitions.onHint((tenant) => {
    for (const group of live.values()) if (group.row.tenant === tenant) group.redefined()
  })
  const presence = createPresence({
    pool,
    log,
    onIdle(group) {
      if (live.get(keyOf(group.row)) === group) live.delete(keyOf(group.row))
      if (live.size > 0) return
      unfollow?.()
      unfollow = undefined
      history.forget() // nobody tells any more that the log was set back
    },
  })

  async function groupOf(tenant: string, name: string): Promise<LiveGroup> {
    const key = keyOf({ tenant, name })
    const known = live.get(key)
    if (known !== undefined) return known
    const row = await findGroup(pool, tenant, name)
    if (row === undefined) throw noSuchGroup(name)
    const group = live.get(key) ?? createLiveGroup(pool, row)
    live.set(key, group)
    unfollow ??= desk.follow()
    presence.look(group)
    return group
  }

  /** A group with one of its members, after a sign of life of this. */
  async function touched({ tenant, group: name, member }: MemberName): Promise<LiveGroup> {
    const group = await groupOf(tenant, name)
    try {
      await presence.touch(group, member)
    } catch (error) {
      // The group may have been deleted, and made anew under its name.
      const row = await findGroup(pool, tenant, name)
      if (row?.id === group.row.id) throw error
      if (live.get(keyOf(group.row)) === group) live.delete(keyOf(group.row))
      if (row === undefined) throw noSuchGroup(name)
      const anew = await groupOf(tenant, name)
      await presence.touch(anew, member)
      return anew
    }
    return group
  }

  /** Runs a request that is held open, and tells whether its connection broke before it was answered. */
  async function holdOpen<T>(
    group: LiveGroup,
    name: MemberName,
    gone: AbortSignal,
    run: () => Promise<T>,
  ): Promise<T> {
    if (stopping.signal.aborted)
      throw new SignalboxError("unavailable", "the hub is stopping", { retryAfter: 1 })
    const attachment: Attachment = presence.attach(group, name.member)
    const lost = () => attachment.end(true)
    gone.addEventListener("abort", lost)
    try {
      return await run()
    } finally {
      gone.removeEventListener("abort", lost)
      attachment.end(gone.aborted)
    }
  }

  /** What a member holds. A request that is still open is a sign of life, whatever became of the session meanwhile. */
  async function shareOf(group: LiveGroup, member: string, gone: AbortSignal): Promise<HeldPlace[]> {
    let share = await group.share(member)
    if (share === undefined && !gone.aborted) {
      await presence.revive(group, member)
      share = await group.share(member)
    }
    if (share === undefined) throw unknownMember(member)
    return share
  }

  const groups: Groups = {
    async join(tenant, name, memberName) {
      const group = await groupOf(tenant, name)
      const member = uuidv7()
      const { row } = group
      const isIn = await transaction(pool, (db) => insertMember(db, row.id, { id: member, name: memberName }))
      if (!isIn) {
        const found = await findGroup(pool, tenant, name)
        if (found?.id !== row.id) {
          if (live.get(keyOf(row)) === group) live.delete(keyOf(row)) // deleted, and perhaps made anew
          if (found === undefined) throw noSuchGroup(name)
          return groups.join(tenant, name, memberName)
        }
        throw new SignalboxError(
          "too_many_requests",
          `the group has ${row.maxMembers} members, and may have no more`,
          { retryAfter: 10 },
        )
      }
      group.changed()
      return { member, sessionMs: row.sessionMs, partitions: row.partitions }
    },

    async leave({ tenant, group: name, member }) {
      const group = await groupOf(tenant, name)
      presence.forget(member)
      if (!(await deleteMember(pool, group.row.id, member))) throw unknownMember(member)
      group.changed()
    },

    async heartbeat(name, { waitMs, known, gone }) {
      const group = await touched(name)
      return holdOpen(group, name, gone, async () => {
        using wait = createWait(group, waitMs, [gone, stopping.signal])
        group.invalidate() // what is told is no older than the question, whichever process was asked before
        for (;;) {
          const turn = wait.turn()
          const assignment = assignmentOf(await shareOf(group, name.member, gone))
          if (assignment.version !== known || wait.over) return assignment
          await untilAborted(turn)
        }
      })
    },

    async fetch(name, request) {
      const group = await touched(name)
      const view = async () => viewOf(group.row)
      return holdOpen(group, name, request.gone, async () => {
        // Even who does not want to wait gives the feed a moment to find out where the log is.
        using wait = createWait(group, Math.max(request.waitMs, 1_000), [request.gone, stopping.signal])
        const share = () => shareOf(group, name.member, request.gone)
        return await fetchEvents(
          { pool, feed, history, log, desk, group, view, share, wait },
          name.member,
          request,
        )
      })
    },

    async commit(name, places, release) {
      const group = await groupOf(name.tenant, name.group)
      const { id } = group.row
      const furthest = Math.max(0, ...places.map(({ position }) => position))
      if (furthest > feed.position && furthest > (await logHead(pool))) {
        throw new SignalboxError("bad_request", `position ${furthest} is beyond the end of the log`)
      }
      const stale = await commitPlaces(pool, id, name.member, withReleased(places, release))
      if (stale.length > 0) throw staleGeneration(stale)
      group.committed(places)
      if (release.length > 0) {
        await releasePlaces(pool, id, name.member, release)
        group.changed()
      }
      await presence.touch(group, name.member).catch(() => {}) // committed it is in any case
    },

    stay({ tenant, group: name, member }) {
      const group = live.get(keyOf({ tenant, name }))
      return group === undefined ? { end: () => {} } : presence.attach(group, member)
    },

    start: presence.start,
    async stop() {
      stopping.abort()
      deafen()
      unfollow?.()
      await presence.stop()
    },
  }
  return groups
}

function assignmentOf(held: readonly HeldPlace[]): Assignment {
  return {
    version: versionOf(held),
    assignments: held.map(({ partition, generation, position }) => ({ partition, generation, position })),
    revoking: held.filter(({ surplus }) => surplus).map(({ partition }) => partition),
  }
}

/** Those given back without a position are checked all the same; a cursor never goes back. */
function withReleased(places: readonly Place[], release: readonly Place[]): Place[] {
  const named = new Set(places.map(({ partition }) => partition))
  return [...places, ...release.filter(({ partition }) => !named.has(partition))]
}

function staleGeneration(partitions: readonly number[]): SignalboxError {
  const which = partitions.join(", ")
  return new SignalboxError(
    "stale_generation",
    `nothing was committed: of partition ${which} this member holds no lease of this generation any more; its events are handed to whoever holds it now`,
    { details: { partitions } },
  )
}

function keyOf({ tenant, name }: { tenant: string; name: string }): string {
  return JSON.stringify([tenant, name])
}
