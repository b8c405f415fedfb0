import { SignalboxError } from "../core/errors.ts"
import type {
  Replay,
  ReplayAdmin,
  ReplayEstimate,
  ReplayGap,
  ReplayRequest,
  ReplayStatus,
} from "../core/replay.ts"
import { isUuid, uuidv7 } from "../core/uuid.ts"
import { readAs, transaction, type Database, type Db } from "../store/database.ts"
import { logBounds, notReached } from "../store/log-pages.ts"
import { reach } from "../store/reach.ts"
import {
  findReplay,
  findReplayTarget,
  insertReplay,
  lockReplay,
  setReplayStatus,
  type ReplayTarget,
} from "../store/replays.ts"
import { estimateReplay } from "./estimate.ts"
import type { CompileName } from "./wanted.ts"

const mostOpen = 20

/** What a request comes to, before it is counted. */
interface Planned {
  target: ReplayTarget
  entities: string[] | null
  after: number
  upTo: number
  gap: ReplayGap | null
}

/** Makes the administration of replays. */
export function createReplayAdmin(database: Database, compileName: CompileName): ReplayAdmin {
  const { work } = database

  async function plan(tenant: string, request: ReplayRequest, everyTenant: boolean): Promise<Planned> {
    const target = await findReplayTarget(work, tenant, request.to, everyTenant)
    if (target === undefined) {
      throw new SignalboxError(
        "not_found",
        `to: there is no subscription, handler or group ${JSON.stringify(request.to)}`,
      )
    }
    const entities = request.entity === null ? null : await timelineOf(database, tenant, request.entity)
    const { first, head } = await logBounds(work)
    if (request.after !== null && request.after > head) {
      throw notReached("after", request.after, head, "nothing has happened there that could be replayed")
    }
    const after = Math.max(request.after ?? 0, first - 1)
    const upTo = Math.min(request.upTo ?? head, head)
    const lastGone = Math.min(first - 1, upTo)
    const gap =
      request.after !== null && request.after < lastGone ? { from: request.after + 1, to: lastGone } : null
    return { target, entities, after, upTo: Math.max(after, upTo), gap }
  }

  function count(tenant: string, request: ReplayRequest, planned: Planned) {
    return estimateReplay(database, { tenant, request, compileName, ...planned })
  }

  async function change(
    tenant: string,
    id: string,
    from: readonly ReplayStatus[],
    body: (db: Db) => Promise<void>,
  ): Promise<Replay> {
    return transaction(work, async (db) => {
      const status = isUuid(id) ? await lockReplay(db, tenant, id) : undefined
      if (status === undefined) throw noSuchReplay()
      if (!from.includes(status)) {
        const words = status === "paused" || status === "running" ? `is ${status} already` : `was ${status}`
        throw new SignalboxError("conflict", `this replay ${words}`)
      }
      await body(db)
      const replay = await findReplay(db, tenant, id)
      if (replay === undefined) throw noSuchReplay()
      return replay
    })
  }

  return {
    async estimate(tenant, request, { everyTenant }) {
      const planned = await plan(tenant, request, everyTenant)
      const { target, after, upTo, gap } = planned
      const { id, name, kind, status } = target
      const counted: ReplayEstimate = {
        consumer: { id, name, kind, status },
        after,
        upTo,
        ...(await count(tenant, request, planned)),
      }
      return { ...counted, gap }
    },

    async create(tenant, request, { everyTenant, keyId }) {
      const planned = await plan(tenant, request, everyTenant)
      const { target, entities, after, upTo, gap } = planned
      const { events: estimate, exact: estimateExact } = await count(tenant, request, planned)
      const id = uuidv7()
      const made = await insertReplay(
        work,
        {
          ...request,
          id,
          tenant,
          subscriptionId: target.id,
          entities,
          after,
          upTo,
          gap,
          estimate,
          estimateExact,
          createdBy: keyId,
        },
        mostOpen,
      )
      if (!made) {
        throw new SignalboxError(
          "conflict",
          `${mostOpen} replays are not over yet: wait for one, or cancel one`,
        )
      }
      const replay = await findReplay(work, tenant, id)
      if (replay === undefined) throw noSuchReplay() // its consumer was deleted meanwhile
      return { replay, gap }
    },

    pause: (tenant, id) => change(tenant, id, ["running"], (db) => setReplayStatus(db, id, "paused")),
    resume: (tenant, id) => change(tenant, id, ["paused"], (db) => setReplayStatus(db, id, "running")),
    cancel: (tenant, id) =>
      change(tenant, id, ["running", "paused"], (db) => setReplayStatus(db, id, "cancelled")),
  }
}

/** The entities of the timeline of one, as it stands. */
async function timelineOf(database: Database, tenant: string, entity: string): Promise<string[]> {
  const { entities } = await readAs(database, tenant, (db) => reach(db, tenant, entity))
  return [...entities.keys()]
}

function noSuchReplay(): SignalboxError {
  return new SignalboxError("not_found", "there is no replay of this id")
}
