/**
 * A process that runs consumers, for tests that end or halt it. Each run is a row of `runs`, written
 * when it starts. What a type asks for happens then: `kill.*` ends the process as hard as can be,
 * `slow.*` takes 400 ms.
 */
import { setTimeout as sleep } from "node:timers/promises"
import { silentLog } from "../../src/core/log.ts"
import { createConsumers } from "../../src/consumers/create-consumers.ts"
import { openDatabase } from "../../src/store/database.ts"
import { readerOf } from "./log.ts"

export interface MemberSettings {
  url: string
  member: string
  consumers: { name: string; partitions?: number; attempts?: number }[]
  leaseMs: number
}

const settings: MemberSettings = JSON.parse(process.argv[2] ?? "")
const database = openDatabase({ url: settings.url })
const consumers = createConsumers({
  database,
  read: readerOf(database),
  log: silentLog,
  member: settings.member,
  leaseMs: settings.leaseMs,
  beatMs: 50,
})
for (const { name, partitions = 1, attempts = 5 } of settings.consumers) {
  consumers.add({
    name,
    kind: "handler",
    tenant: "default",
    stream: "all_events",
    partitions,
    matches: () => true,
    retry: { initialMs: 10, maxMs: 20, attempts },
    async run(event) {
      await database.work.query(
        "insert into runs (consumer, event_id, entity, position, member) values ($1, $2, $3, $4, $5)",
        [name, event.id, event.entity, event.position, settings.member],
      )
      if (event.type.startsWith("kill.")) process.kill(process.pid, "SIGKILL")
      if (event.type.startsWith("slow.")) await sleep(400)
      return settings.member
    },
  })
}
await consumers.start()
process.stdout.write("started\n")
process.on("SIGTERM", () => {
  void consumers.stop().then(() => database.close())
})
