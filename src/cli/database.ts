import { existsSync } from "node:fs"
import { join } from "node:path"
import { SignalboxError } from "../core/errors.ts"
import type { Config } from "../config.ts"
import { startEmbedded } from "../store/embedded/start-embedded.ts"
import { expectSchema } from "../store/migrate.ts"

/** As `withDatabaseUrl`, for a body that needs the schema to be there. */
export function withSchema<T>(
  config: Pick<Config, "databaseUrl" | "dataDir">,
  body: (url: string) => Promise<T>,
): Promise<T> {
  return withDatabaseUrl(config, async (url) => {
    await expectSchema(url)
    return body(url)
  })
}

/**
 * Runs `body` with the URL of the configured database: DATABASE_URL, or the embedded PostgreSQL of
 * the data directory, beside a hub that runs on it, or started for as long as `body` takes.
 */
export async function withDatabaseUrl<T>(
  config: Pick<Config, "databaseUrl" | "dataDir">,
  body: (url: string) => Promise<T>,
): Promise<T> {
  if (config.databaseUrl !== undefined) return body(config.databaseUrl)
  if (!existsSync(join(config.dataDir, "postgres"))) {
    throw new SignalboxError(
      "configuration",
      `there is no database in ${config.dataDir}: start the hub once, or set DATABASE_URL or SIGNALBOX_DATA_DIR`,
    )
  }
  await using server = await startEmbedded({ dataDir: config.dataDir, shared: true })
  return await body(server.url)
}
