import { setTimeout as sleep } from "node:timers/promises"
import type { Pool } from "pg"
import { coalesce } from "../consumers/coalesce.ts"
import { SignalboxError } from "../core/errors.ts"
import type { Log } from "../core/log.ts"
import { tidyMembers } from "../store/consumer-leases.ts"
import { groupPulses, renewGroupMembers, shortenSessions, waningMembers } from "../store/group-members.ts"
import type { LiveGroup } from "./live-group.ts"

/** Who of the groups' members is there, as far as this process serves them. */
export interface Presence {
  /** Looks after a group from now on, and for a while after the last of its members here has gone. */
  look(group: LiveGroup): void
  /** Notes a sign of life. Throws `unknown_member` where there is no such member, or its session ran out long ago. */
  touch(group: LiveGroup, member: string): Promise<void>
  /** The same, where the database says otherwise than is believed here: another process may have ended the session. */
  revive(group: LiveGroup, member: string): Promise<void>
  /**
   * Notes a request that is held open, which is a sign of life for as long; to be called after `touch`.
   * Throws `too_many_requests` where the member has more of them than it can have use for.
   */
  attach(group: LiveGroup, member: string): Attachment
  /** Forgets a member that left. */
  forget(member: string): void
  start(): void
  stop(): Promise<void>
}

/** A request that is held open. */
export interface Attachment {
  /** It ended; `lost` where its connection broke: then the member has a moment to come back. Idempotent. */
  end(lost: boolean): void
}

interface Session {
  group: LiveGroup
  attached: number
  /** Whether a connection of it broke, and no request came since. */
  isLost: boolean
  /** By performance.now(), when its session runs out as far as is known here. */
  until: number
  /** What is under way about its end: one waits for the other, or the database might take them in another order. */
  renewing?: Promise<boolean>
  shortening?: Promise<void>
}

export interface PresenceOptions {
  pool: Pool
  log: Log
  /** Whose groups are looked after, besides those with members here. */
  onIdle: (group: LiveGroup) => void
  /** Between two looks at the groups (500 ms). */
  beatMs?: number
  /** How long a member whose connection broke may stay away (1,000 ms). */
  graceMs?: number
}

const tidyEveryMs = 60_000
const maxAttached = 8
/** So long a group is looked after once its last member here has gone. */
const lingerMs = 10_000

/** Makes the presence of a process. A statement a beat serves all groups, and one or two all members that are here. */
export function createPresence(options: PresenceOptions): Presence {
  const { pool, log, onIdle, beatMs = 500, graceMs = 1_000 } = options
  const sessions = new Map<string, Session>()
  const groups = new Map<LiveGroup, { pulse: string; usedAt: number }>()
  const ending = new AbortController()
  let beating: Promise<void> | undefined
  let tidyAt = performance.now() + tidyEveryMs

  const renew = coalesce<{ member: string; group: string; sessionMs: number }, boolean>(async (renewals) => {
    const found = await renewGroupMembers(pool, renewals)
    return renewals.map(({ member }) => found.has(member))
  }, 500)
  const shorten = coalesce<string, true>(async (members) => {
    await shortenSessions(pool, members, graceMs)
    return members.map((): true => true)
  }, 500)

  async function renewed(member: string, { row }: LiveGroup): Promise<boolean> {
    const { id: group, sessionMs } = row
    const before = sessions.get(member)
    await before?.shortening
    const asked = performance.now()
    const renewing = renew({ member, group, sessionMs })
    if (before !== undefined) before.renewing = renewing
    const found = await renewing
    const session = sessions.get(member)
    if (session !== undefined && found) session.until = asked + sessionMs
    return found
  }

  /** Ends a session soon, unless the member comes back. Never rejects. */
  async function cutShort(member: string, session: Session): Promise<void> {
    try {
      await session.renewing?.catch(() => {})
      if (session.attached > 0 || sessions.get(member) !== session) return
      session.until = Math.min(session.until, performance.now() + graceMs)
      await shorten(member)
    } catch (error) {
      log.warn({ err: error }, "a member's session could not be shortened: it ends by itself")
    }
  }

  function sessionOf(group: LiveGroup, member: string): Session {
    const known = sessions.get(member)
    if (known?.group === group) return known
    const session = { group, attached: 0, isLost: false, until: 0 }
    sessions.set(member, session)
    return session
  }

  function isFresh({ until, group }: Session): boolean {
    return until - performance.now() > group.row.sessionMs / 2
  }

  async function beat(): Promise<void> {
    const now = performance.now()
    for (const [member, session] of sessions) {
      if (session.attached > 0) {
        const group = groups.get(session.group)
        if (group !== undefined) group.usedAt = now
      } else if (session.until < now) sessions.delete(member)
    }
    for (const [group, { usedAt }] of groups) {
      if (now - usedAt < lingerMs) continue
      groups.delete(group)
      onIdle(group)
    }
    await renewAttached()
    await feelPulses()
    if (now < tidyAt || groups.size === 0) return
    tidyAt = now + tidyEveryMs
    await tidyMembers(
      pool,
      [...groups.keys()].map(({ row }) => row.id),
    )
  }

  /** Another process may have cut a session short, with whom a connection broke: the database tells which need it. */
  async function renewAttached(): Promise<void> {
    const attached = [...sessions].filter(([, session]) => session.attached > 0)
    if (attached.length === 0) return
    const held = attached.map(([member, { group }]) => ({ member, sessionMs: group.row.sessionMs }))
    const waning = new Set(await waningMembers(pool, held))
    await Promise.all(
      attached.map(async ([member, session]) => {
        if (waning.has(member) && session.attached > 0) await renewOrForget(member, session)
      }),
    )
  }

  async function renewOrForget(member: string, session: Session): Promise<void> {
    if (await renewed(member, session.group)) return
    sessions.delete(member)
    session.group.changed() // its requests find out
  }

  async function feelPulses(): Promise<void> {
    if (groups.size === 0) return
    const felt = await groupPulses(
      pool,
      [...groups.keys()].map(({ row }) => row.id),
    )
    const pulses = new Map(felt.map(({ id, version, living }) => [id, `${version}/${living}`]))
    for (const [group, seen] of groups) {
      const pulse = pulses.get(group.row.id) ?? "gone"
      if (pulse === seen.pulse) continue
      seen.pulse = pulse
      group.changed()
    }
  }

  async function run(): Promise<void> {
    let failing = false
    while (!ending.signal.aborted) {
      try {
        await beat()
        failing = false
      } catch (error) {
        if (!failing) log.warn({ err: error }, "consumer groups cannot be looked after; trying again")
        failing = true
      }
      await sleep(beatMs, undefined, { signal: ending.signal }).catch(() => {})
    }
  }

  async function revive(group: LiveGroup, member: string): Promise<void> {
    if (await renewed(member, group)) return
    if (sessions.get(member)?.group === group) sessions.delete(member)
    throw unknownMember(member)
  }

  function use(group: LiveGroup): void {
    const known = groups.get(group)
    if (known === undefined) groups.set(group, { pulse: "", usedAt: performance.now() })
    else known.usedAt = performance.now()
  }

  return {
    look: use,
    async touch(group, member) {
      use(group)
      if (!isFresh(sessionOf(group, member))) await revive(group, member)
    },
    revive,
    attach(group, member) {
      const session = sessionOf(group, member)
      if (session.attached >= maxAttached) {
        throw new SignalboxError("too_many_requests", `a member may hold ${maxAttached} requests open`, {
          retryAfter: 1,
        })
      }
      session.attached++
      session.isLost = false
      let ended = false
      return {
        end(lost) {
          if (ended) return
          ended = true
          session.attached--
          session.isLost ||= lost // of several that break together, the last may have been answered, to nobody
          if (!session.isLost || session.attached > 0 || sessions.get(member) !== session) return
          session.until = Math.min(session.until, performance.now() + graceMs)
          session.shortening = cutShort(member, session)
        },
      }
    },
    forget: (member) => void sessions.delete(member),
    start: () => void (beating ??= run()),
    async stop() {
      ending.abort()
      await beating
    },
  }
}

/** What there is to say to a member that is none. */
export function unknownMember(member: string): SignalboxError {
  return new SignalboxError(
    "unknown_member",
    `there is no member ${JSON.stringify(member)} in this group, or its session has ended: join anew`,
  )
}
