/** A process that runs a handler and moves replays on, for tests that end it. Each run is a row of `runs`. */
import { createConsumers } from "../../src/consumers/create-consumers.ts"
import { silentLog } from "../../src/core/log.ts"
import { compileName } from "../../src/handlers/event-names.ts"
import { createReplays } from "../../src/replay/create-replays.ts"
import { openDatabase } from "../../src/store/database.ts"
import { readerOf } from "../consumers/log.ts"

const [url = "", consumer = ""] = process.argv.slice(2)
const database = openDatabase({ url })
const consumers = createConsumers({
  database,
  read: readerOf(database),
  log: silentLog,
  leaseMs: 600,
  beatMs: 50,
})
consumers.add({
  name: consumer,
  kind: "handler",
  tenant: "default",
  stream: "all_events",
  partitions: 4,
  matches: () => true,
  async run({ id, entity, position }, { replayId }) {
    await database.work.query(
      "insert into runs (event_id, entity, position, replay_id, process) values ($1, $2, $3, $4, $5)",
      [id, entity, position, replayId, process.pid],
    )
  },
})
const clock = () => new Date()
const replays = createReplays({ pool: database.work, clock, log: silentLog, compileName, pollMs: 50 })
await consumers.start()
replays.start()
process.stdout.write("started\n")
