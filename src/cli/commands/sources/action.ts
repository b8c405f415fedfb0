import { loadConfig, type Config } from "../../../config.ts"
import { systemClock } from "../../../core/clock.ts"
import { SignalboxError } from "../../../core/errors.ts"
import type { Platform } from "../../../core/platform.ts"
import type { SourceAdmin, SourceRef } from "../../../core/source-admin.ts"
import { defaultSource } from "../../../core/source.ts"
import { platforms } from "../../../platforms/index.ts"
import { platformNamed } from "../../../sources/check-source.ts"
import { createKeyring, type Keyring } from "../../../sources/keyring.ts"
import { createSourceAdmin } from "../../../sources/source-admin.ts"
import { openDatabase, type Database } from "../../../store/database.ts"
import { textOption, type CommandContext } from "../../command.ts"
import { withSchema } from "../../database.ts"

/** What an action on sources works with. */
export interface SourceTools {
  config: Config
  database: Database
  platforms: readonly Platform[]
  keyring: Keyring
  admin: SourceAdmin
}

/** One action of `signalbox sources`; the answer is the exit status. */
export interface SourceAction {
  /** What follows its name. */
  usage: string
  run(context: CommandContext, tools: SourceTools): Promise<number>
}

/** Opens the configured database for as long as `body` takes. */
export function withSources(
  env: CommandContext["env"],
  body: (tools: SourceTools) => Promise<number>,
): Promise<number> {
  const config = loadConfig(env, platforms)
  return withSchema(config, async (url) => {
    const database = openDatabase({ url, maxWork: 2, maxRead: 1 })
    try {
      const keyring = createKeyring({
        configured: config.encryptionKeys,
        dataDir: config.databaseUrl === undefined ? config.dataDir : null,
      })
      const admin = createSourceAdmin({ pool: database.work, platforms, keyring, clock: systemClock })
      return await body({ config, database, platforms, keyring, admin })
    } finally {
      await database.close()
    }
  })
}

/** The source that the first argument names: `PLATFORM` or `PLATFORM/NAME`, which `--source` may name as well. */
export function readRef({ positionals, options }: CommandContext): SourceRef {
  const [, path] = positionals
  if (path === undefined) {
    throw new SignalboxError("bad_request", "name the source: PLATFORM for its default one, or PLATFORM/NAME")
  }
  const slash = path.indexOf("/")
  const platform = platformNamed(platforms, slash === -1 ? path : path.slice(0, slash)).name
  const name = slash === -1 ? undefined : path.slice(slash + 1)
  const given = textOption(options, "source")
  if (name !== undefined && given !== undefined && name !== given) {
    throw new SignalboxError("bad_request", `is it ${path}, or --source ${given}?`)
  }
  return { tenant: textOption(options, "tenant") ?? null, platform, name: name ?? given ?? defaultSource }
}
