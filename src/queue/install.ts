import { PgBoss } from "pg-boss"
import { createPool } from "../store/database.ts"
import { grantQueue, lockQueueInstallation } from "../store/queue-jobs.ts"
import { queueNames, queueOptions } from "./queues.ts"
import { tickOptions, tickQueue } from "./ticks.ts"

/**
 * Makes or upgrades pg-boss's schema and our queues, as the owner of the database, and grants the
 * worker role what its work needs. Safe under concurrent starters and to be repeated; belongs after
 * every `migrate`.
 */
export async function installQueue(url: string): Promise<void> {
  const pool = createPool(url, { max: 1 })
  const client = await pool.connect()
  try {
    await lockQueueInstallation(client)
    await makeQueues(url)
    await grantQueue(client)
  } finally {
    client.release(true) // ends the session, and its lock with it
    await pool.end()
  }
}

async function makeQueues(url: string): Promise<void> {
  const boss = new PgBoss({
    connectionString: url,
    application_name: "signalbox migrate",
    max: 2,
    supervise: false,
    schedule: false,
  })
  boss.on("error", () => {}) // every call below reports its own failure
  await boss.start()
  try {
    for (const name of queueNames) {
      await boss.createQueue(name, queueOptions)
      const { policy: _fixed, ...changeable } = queueOptions
      await boss.updateQueue(name, changeable)
    }
    await boss.createQueue(tickQueue, tickOptions)
    await boss.schedule(tickQueue, "* * * * *")
  } finally {
    await boss.stop({ graceful: false })
  }
}
