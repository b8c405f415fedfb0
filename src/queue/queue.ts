import type { QueryConfig } from "pg"
import { PgBoss, type JobInsert } from "pg-boss"
import { working, type ComponentState } from "../core/component.ts"
import { priorities, type Priority } from "../core/envelope.ts"
import type { Log } from "../core/log.ts"
import { isPipelining, type Db } from "../store/database.ts"
import type { ProcessingBatch } from "../store/enqueue.ts"
import { heldJobs } from "../store/queue-jobs.ts"
import { openBossConnection } from "./boss-connection.ts"
import { ClaimLost, type Claim, type JobData } from "./claim.ts"
import { openLane, type ClaimHandler, type Lane } from "./lane.ts"
import { createPresence } from "./presence.ts"
import { queueNames, queueOf } from "./queues.ts"
import { reportFaults } from "./report-faults.ts"
import { openTicks, tickQueue, type Ticks } from "./ticks.ts"
import { recording, transacting } from "./transacting.ts"
import { within } from "./within.ts"

/** The queues of one process. */
export interface Queue {
  /** Connects. Workers begin with `work`. */
  start(): Promise<void>
  /** Lets work in progress finish for up to 20 s, then gives its jobs back and disconnects. */
  stop(): Promise<void>
  /**
   * Enqueues one job a batch within the transaction open on `db`, in one statement a priority, all sent
   * at once where the connection pipelines; whether it resolves or throws, nothing is left to send. `afterMs` puts the jobs off.
   */
  enqueue: (db: Db, batches: readonly ProcessingBatch[], afterMs?: number) => Promise<void>
  /** What `enqueue` would send, one statement a priority, for a transaction that sends it itself. */
  jobStatements: (batches: readonly ProcessingBatch[], afterMs?: number) => Promise<QueryConfig[]>
  /**
   * Starts workers on every queue, so many a priority; each priority has its own, so a busy one
   * slows the others and starves none. Answers a function that stops them and waits for their work.
   * To be called once.
   */
  work(handler: ClaimHandler, workers: Readonly<Record<Priority, number>>): Promise<() => Promise<void>>
  /**
   * Runs `handler` for the ticks that come to this process: one a minute over all processes, and one soon
   * after each `tick`. Answers a function that ends that. To be called once, after `work`, which listens.
   */
  onTick(handler: () => Promise<void>): () => Promise<void>
  /** Asks for a tick now, at whatever process. */
  tick(): Promise<void>
  /** Completes a claim's jobs in the transaction open on `db`; throws ClaimLost if one is no longer held. */
  complete(db: Db, claim: Claim): Promise<void>
  /** `idle` in a process that has no workers. */
  state(): ComponentState
  /** Renews a claim in the transaction open on `db`, and holds it until the commit; throws ClaimLost. */
  renew(db: Db, claim: Claim): Promise<void>
}

export interface QueueOptions {
  url: string
  log: Log
  /** Whether this process takes its turn at keeping pg-boss's timetable (false). */
  keepsTime?: boolean
}

const stopTimeoutMs = 20_000
const closeTimeoutMs = 10_000

/**
 * How long a lane lets jobs gather after it looked. Under load a look at the queue and the statements
 * of a batch cost as much as many events; an idle queue waits for nothing.
 */
const spacingMs: Readonly<Record<Priority, number>> = { critical: 2, high: 6, normal: 10, low: 20 }

/** Makes the queues of one process; nothing is connected before `start`. */
export function createQueue({ url, log, keepsTime = false }: QueueOptions): Queue {
  const lanes = new Map<string, Lane>()
  let ticks: Ticks | undefined
  const onJobs = (name: string): void => (name === tickQueue ? ticks : lanes.get(name))?.wake()
  const connection = openBossConnection({ url, log, onJobs })
  const boss = new PgBoss({
    db: connection.db,
    migrate: false, // the owner's task, see installQueue
    createSchema: false,
    schedule: keepsTime,
    cronMonitorIntervalSeconds: 30,
    cronWorkerIntervalSeconds: 5,
    reindex: false,
    useListenNotify: true,
    // How soon jobs of a dead worker come back: heartbeatSeconds of the queue and this.
    superviseIntervalSeconds: 2,
    monitorIntervalSeconds: 2,
    maintenanceIntervalSeconds: 20,
    flowIntervalSeconds: 3_600,
  })
  const faults = reportFaults(boss, log)
  const presence = createPresence({ url, log })
  let starting: Promise<void> | undefined
  let stopping: Promise<void> | undefined
  let present: Promise<void> | undefined

  async function rescue(db: Db): Promise<void> {
    const held = await heldJobs(db, queueNames)
    for (const name of queueNames) {
      const jobs = held.filter((job) => job.queue === name)
      if (jobs.length > 0) await boss.fail(name, jobs, { message: "the process that held it is gone" })
    }
    if (held.length > 0) log.info({ jobs: held.length }, "took over the jobs of a process that is gone")
  }

  async function stopTicks(): Promise<void> {
    await ticks?.stop(stopTimeoutMs)
  }

  async function stopWork(): Promise<void> {
    await Promise.all([...lanes.values()].map((lane) => lane.stop(stopTimeoutMs)))
    lanes.clear()
  }

  async function start(): Promise<void> {
    await boss.start()
  }

  async function stop(): Promise<void> {
    await starting?.catch(() => {})
    await Promise.all([stopWork(), stopTicks()])
    // With the database away nothing of this may hold up what else is to be closed.
    const closed = (async () => {
      await boss.stop({ graceful: false }).catch(faults.report) // what still runs is given back
      await Promise.all([presence.stop(), connection.close()])
    })().catch(faults.report)
    await within(closeTimeoutMs, closed)
  }

  async function jobStatements(batches: readonly ProcessingBatch[], afterMs = 0): Promise<QueryConfig[]> {
    const statements: QueryConfig[] = []
    for (const priority of priorities) {
      const jobs = batches.filter((batch) => batch.priority === priority)
      if (jobs.length === 0) continue
      const inserts = jobs.map((batch) => jobInsert(batch, afterMs))
      await boss.insert(queueOf[priority], inserts, { db: recording(statements) })
    }
    return statements
  }

  return {
    start: () => (starting ??= start()),
    stop: () => (stopping ??= stop()),

    jobStatements,

    async enqueue(db, batches, afterMs) {
      const answers: Promise<unknown>[] = []
      for (const statement of await jobStatements(batches, afterMs)) {
        const answer = db.query(statement)
        if (isPipelining(db)) answers.push(answer)
        else await answer
      }
      const refused = (await Promise.allSettled(answers)).find((done) => done.status === "rejected")
      if (refused !== undefined) throw refused.reason
    },

    async work(handler, workers) {
      if (present !== undefined) throw new Error("this queue has its workers already")
      present = presence.start(rescue)
      await present
      await connection.listen()
      for (const priority of priorities) {
        const slots = workers[priority]
        if (slots === 0) continue
        const lane = {
          boss,
          priority,
          slots,
          spacingMs: spacingMs[priority],
          handler,
          onError: faults.report,
        }
        lanes.set(queueOf[priority], openLane(lane))
      }
      return stopWork
    },

    onTick(handler) {
      if (ticks !== undefined) throw new Error("this queue has its ticks already")
      ticks = openTicks({ boss, handler, onError: faults.report })
      return stopTicks
    },

    async tick() {
      await boss.send(tickQueue, null)
    },

    state() {
      const open = [...lanes.values()]
      if (open.length === 0) return { state: "idle" }
      return open.every(({ reads }) => reads)
        ? working
        : { state: "failing", problem: "jobs cannot be fetched and are looked for again" }
    },

    async complete(db, { priority, jobs }) {
      const response = await boss.complete(queueOf[priority], [...jobs], null, { db: transacting(db) })
      if (affected(response) !== jobs.length) throw new ClaimLost()
    },

    async renew(db, { priority, jobs }) {
      const response = await boss.touch(queueOf[priority], [...jobs], { db: transacting(db) })
      if (affected(response) !== jobs.length) throw new ClaimLost()
    },
  }
}

function jobInsert({ eventIds }: ProcessingBatch, afterMs: number): JobInsert<JobData> {
  const data = { eventIds }
  return afterMs > 0 ? { data, startAfter: `${afterMs / 1_000}` } : { data }
}

/** How many jobs a settling call found still held; pg-boss reports it but leaves it out of its types. */
function affected(response: object): unknown {
  return "affected" in response ? response.affected : undefined
}
