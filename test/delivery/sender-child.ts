/** A process that sends webhooks, for tests that end it as hard as can be. */
import { createConsumers } from "../../src/consumers/create-consumers.ts"
import { silentLog } from "../../src/core/log.ts"
import { createDeliveries } from "../../src/delivery/create-deliveries.ts"
import { createGuard } from "../../src/delivery/guard.ts"
import { parseEncryptionKeys } from "../../src/sources/encryption-key.ts"
import { createKeyring } from "../../src/sources/keyring.ts"
import { createSealing, webhookPurpose } from "../../src/sources/sealing.ts"
import { openDatabase } from "../../src/store/database.ts"
import { readerOf } from "../consumers/log.ts"

export interface SenderSettings {
  url: string
  /** Opens the secrets of the subscriptions. */
  encryptionKey: string
  leaseMs: number
}

const settings: SenderSettings = JSON.parse(process.argv[2] ?? "")
const database = openDatabase({ url: settings.url })
const consumers = createConsumers({
  database,
  read: readerOf(database),
  log: silentLog,
  leaseMs: settings.leaseMs,
  beatMs: 50,
})
const configured = parseEncryptionKeys(settings.encryptionKey) ?? []
const deliveries = createDeliveries({
  pool: database.work,
  databaseUrl: database.url,
  consumers,
  sealing: createSealing(createKeyring({ configured, dataDir: null }), webhookPurpose),
  guard: createGuard({ allowNetworks: ["127.0.0.0/8"] }),
  publish: async () => {},
  clock: () => new Date(),
  log: silentLog,
  pollMs: 200,
})
await consumers.start()
await deliveries.start()
process.stdout.write("started\n")
process.once("disconnect", () => process.exit())
