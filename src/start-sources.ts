import type { Config } from "./config.ts"
import type { Clock } from "./core/clock.ts"
import type { Log } from "./core/log.ts"
import type { Platform } from "./core/platform.ts"
import type { SourceAdmin } from "./core/source-admin.ts"
import { createSources, type SourceDirectory } from "./sources/create-sources.ts"
import { createKeyring } from "./sources/keyring.ts"
import { createSourceAdmin } from "./sources/source-admin.ts"
import type { SourceSettings } from "./sources/standing-sources.ts"
import type { Database } from "./store/database.ts"

export interface StartSourcesOptions {
  database: Database
  config: Config
  platforms: readonly Platform[]
  /** Sources of the hub's options. */
  sources: readonly SourceSettings[]
  clock: Clock
  log: Log
}

/** The sources of a process, at work, and the means to change them. */
export interface StartedSources {
  sources: SourceDirectory
  sourceAdmin: SourceAdmin
}

/** Loads the sources and follows their changes, until `stack` is disposed. */
export async function startSources(
  stack: AsyncDisposableStack,
  { database, config, platforms, sources: extra, clock, log }: StartSourcesOptions,
): Promise<StartedSources> {
  const keyring = createKeyring({
    configured: config.encryptionKeys,
    dataDir: config.databaseUrl === undefined ? config.dataDir : null,
  })
  const { secrets, credentials, apiUrls } = config
  const sources = createSources({
    database,
    platforms,
    secrets,
    extra,
    keyring,
    credentials,
    apiUrls,
    clock,
    log,
  })
  stack.defer(() => sources.stop())
  await sources.start()
  const sourceAdmin = createSourceAdmin({
    pool: database.work,
    platforms,
    keyring,
    clock,
    running: sources,
    // What is not read at once is read when the hint comes: the change has been made all the same.
    onChange: () => sources.refresh().catch(() => {}),
  })
  return { sources, sourceAdmin }
}
