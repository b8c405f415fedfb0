import { silentLog } from "../../src/core/log.ts"
import { createNatsLink } from "../../src/nats/link.ts"
import { createPublisher } from "../../src/nats/publisher.ts"
import { readNatsUrl } from "../../src/nats/settings.ts"
import { subjectNames } from "../../src/nats/subject.ts"
import { openDatabase } from "../../src/store/database.ts"

// Publishes until it is killed: node publisher-child.ts DATABASE_URL NATS_URL
const [databaseUrl = "", natsUrl = ""] = process.argv.slice(2)
const address = readNatsUrl(natsUrl)
if (address === null) throw new Error("not an address")
const database = openDatabase({ url: databaseUrl })
const link = createNatsLink({ address, log: silentLog })
const names = subjectNames("signalbox")
link.start()
createPublisher({ link, database, names, settings: {}, log: silentLog }).start()
