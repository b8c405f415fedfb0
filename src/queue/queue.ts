import { setTimeout as sleep } from "node:timers/promises"
import { PgBoss, type JobInsert } from "pg-boss"
import { priorities, type Priority } from "../core/envelope.ts"
import type { Log } from "../core/log.ts"
import { cleanText } from "../core/text.ts"
import type { Db } from "../store/database.ts"
import type { ProcessingBatch } from "../store/enqueue.ts"
import { heldJobs } from "../store/queue-jobs.ts"
import { openBossConnection } from "./boss-connection.ts"
import { ClaimLost, type Claim, type JobData } from "./claim.ts"
import { createPresence } from "./presence.ts"
import { queueNames, queueOf } from "./queues.ts"
import { reportFaults } from "./report-faults.ts"
import { transacting } from "./transacting.ts"

/** Does the work of a claim, completing its jobs in the transaction that holds its results. */
export type ClaimHandler = (claim: Claim) => Promise<void>

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
  /**
   * Starts workers on every queue, so many a priority; each priority has its own, so a busy one
   * slows the others and starves none. Answers a function that stops them and waits for their work.
   */
  work(handler: ClaimHandler, workers: Readonly<Record<Priority, number>>): Promise<() => Promise<void>>
  /** Completes a claim's jobs in the transaction open on `db`; throws ClaimLost if one is no longer held. */
  complete(db: Db, claim: Claim): Promise<void>
  /** Renews a claim in the transaction open on `db`, and holds it until the commit; throws ClaimLost. */
  renew(db: Db, claim: Claim): Promise<void>
}

export interface QueueOptions {
  url: string
  log: Log
}

const stopTimeoutMs = 20_000

/** Makes the queues of one process; nothing is connected before `start`. */
export function createQueue({ url, log }: QueueOptions): Queue {
  const connection = openBossConnection({ url, log })
  const boss = new PgBoss({
    db: connection.db,
    migrate: false, // the owner's task, see installQueue
    createSchema: false,
    schedule: false,
    reindex: false,
    useListenNotify: true,
    // How soon jobs of a dead worker come back: heartbeatSeconds of the queue and this.
    superviseIntervalSeconds: 2,
    monitorIntervalSeconds: 2,
    maintenanceIntervalSeconds: 20,
    flowIntervalSeconds: 3_600,
  })
  reportFaults(boss, log)
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

  async function stopWork(): Promise<void> {
    const done = Promise.all(queueNames.map((name) => boss.offWork(name, { wait: true })))
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, stopTimeoutMs)
    })
    await Promise.race([done, late])
    clearTimeout(timer)
  }

  /** pg-boss would try this once, and a job that is not given back waits for its heartbeat to run out. */
  async function giveBack({ priority, jobs, signal }: Claim, error: unknown): Promise<void> {
    const reason = { message: cleanText(error instanceof Error ? error.message : String(error)) }
    for (let waitMs = 100; waitMs < 5_000 && !signal.aborted; waitMs *= 2) {
      const isDone = await boss.fail(queueOf[priority], [...jobs], reason).then(
        () => true,
        () => false,
      )
      if (isDone) return
      await sleep(waitMs, undefined, { signal }).catch(() => {})
    }
  }

  async function start(): Promise<void> {
    await boss.start()
  }

  async function stop(): Promise<void> {
    await starting?.catch(() => {})
    await stopWork()
    await boss.stop({ graceful: false }) // what still runs is given back
    await Promise.all([presence.stop(), connection.close()])
  }

  return {
    start: () => (starting ??= start()),
    stop: () => (stopping ??= stop()),

    async enqueue(db, batches, afterMs = 0) {
      const statements: Promise<unknown>[] = []
      for (const priority of priorities) {
        const jobs = batches.filter((batch) => batch.priority === priority)
        if (jobs.length === 0) continue
        const inserts = jobs.map((batch) => jobInsert(batch, afterMs))
        const statement = boss.insert(queueOf[priority], inserts, { db: transacting(db) })
        if (isPipelining(db)) statements.push(statement)
        else await statement
      }
      const refused = (await Promise.allSettled(statements)).find((done) => done.status === "rejected")
      if (refused !== undefined) throw refused.reason
    },

    async work(handler, workers) {
      present ??= presence.start(rescue)
      await present
      for (const priority of priorities) {
        if (workers[priority] === 0) continue
        await boss.work<JobData>(queueOf[priority], workOptions(workers[priority]), async (jobs) => {
          const signal = AbortSignal.any(jobs.map((job) => job.signal))
          const claim = {
            priority,
            signal,
            jobs: jobs.map(({ id, retryCount, data }) => ({ id, retryCount, eventIds: data.eventIds })),
          }
          try {
            await handler(claim)
          } catch (error) {
            await giveBack(claim, error)
            throw error
          }
        })
      }
      return stopWork
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

/** Whether a connection takes a statement before it has answered the one before. */
function isPipelining(db: object): boolean {
  return "pipeline" in db && db.pipeline === true
}

function jobInsert({ eventIds }: ProcessingBatch, afterMs: number): JobInsert<JobData> {
  const data = { eventIds }
  return afterMs > 0 ? { data, startAfter: `${afterMs / 1_000}` } : { data }
}

function workOptions(localConcurrency: number) {
  return {
    localConcurrency,
    batchSize: 8,
    burstWhenBatchFull: true,
    pollingIntervalSeconds: 0.5,
    notifyPollingIntervalSeconds: 0.5, // a notification may be lost, and retries come without one
  }
}

/** How many jobs a settling call found still held; pg-boss reports it but leaves it out of its types. */
function affected(response: object): unknown {
  return "affected" in response ? response.affected : undefined
}
