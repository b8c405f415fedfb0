import { z } from "zod"
import { SignalboxError } from "./core/errors.ts"
import type { Platform } from "./core/platform.ts"

/** Parts of the work that one process may take on. */
const roles = ["ingest", "worker", "stream", "api"] as const
export type Role = (typeof roles)[number]

/** Everything the environment says, checked. */
export interface Config {
  port: number
  host: string
  /** Undefined: run the embedded PostgreSQL in `dataDir`. */
  databaseUrl: string | undefined
  dataDir: string
  roles: ReadonlySet<Role>
  adminKey: string | undefined
  logLevel: string
  /** Secrets of the default sources by platform; a platform that is absent is off. */
  secrets: ReadonlyMap<string, readonly string[]>
}

const logLevels = ["fatal", "error", "warn", "info", "debug", "trace", "silent"]

/** Latin-1 without control characters, no blank first or last. */
const inHeader = /^[!-~\u00a1-\u00ff](?:[ -~\u00a0-\u00ff]*[!-~\u00a1-\u00ff])?$/

const optional = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (value === "" ? undefined : value), schema.optional())

const environment = z.object({
  PORT: optional(z.coerce.number("must be a port number").int().min(0).max(65_535)),
  HOST: optional(z.string()),
  DATABASE_URL: optional(
    z.string().regex(/^postgres(ql)?:\/\//, "must be a URL that starts with postgres:// or postgresql://"),
  ),
  SIGNALBOX_DATA_DIR: optional(z.string()),
  SIGNALBOX_ROLES: optional(
    z
      .string()
      .transform((text) => text.split(",").map((part) => part.trim()))
      .pipe(z.array(z.enum(roles, `must be a comma-separated list of ${roles.join(", ")}`)).min(1)),
  ),
  SIGNALBOX_ADMIN_KEY: optional(
    z
      .string()
      .min(32, "must have 32 characters or more")
      .regex(
        inHeader,
        "must be what a header can carry: printable characters of Latin-1, and no blank at either end",
      ),
  ),
  LOG_LEVEL: optional(z.enum(logLevels, `must be one of ${logLevels.join(", ")}`)),
})

/**
 * Reads the environment. Throws `configuration` with one line that names every variable that is
 * malformed, and what it must be; values are not repeated, they may be secrets. `given` has secrets by
 * platform that come before those of the environment.
 */
export function loadConfig(
  env: Readonly<Record<string, string | undefined>>,
  platforms: readonly Platform[],
  given: Readonly<Record<string, readonly string[]>> = {},
): Config {
  const parsed = environment.safeParse(env)
  const problems = parsed.success
    ? []
    : parsed.error.issues.map((issue) => `${String(issue.path[0])} ${issue.message}`)
  const secrets = new Map<string, readonly string[]>()
  for (const platform of platforms) {
    const variable = platform.secretVariable ?? `the secret of ${platform.name}`
    const values = given[platform.name] ?? listOf(env[variable])
    if (values.length === 0) continue
    for (const value of values) {
      const problem = value === "" ? "holds an empty secret" : platform.checkSecret?.(value)
      if (problem) problems.push(`${variable} ${problem}`)
    }
    secrets.set(platform.name, values)
  }
  if (!parsed.success || problems.length > 0) {
    throw new SignalboxError("configuration", `configuration: ${problems.join("; ")}`)
  }
  const { data } = parsed
  return {
    port: data.PORT ?? 3000,
    host: data.HOST ?? "0.0.0.0",
    databaseUrl: data.DATABASE_URL,
    dataDir: data.SIGNALBOX_DATA_DIR ?? ".signalbox",
    roles: new Set(data.SIGNALBOX_ROLES ?? roles),
    adminKey: data.SIGNALBOX_ADMIN_KEY,
    logLevel: data.LOG_LEVEL ?? "info",
    secrets,
  }
}

/** Several values stand separated by commas, as secrets do while they rotate. */
function listOf(text: string | undefined): string[] {
  if (text === undefined || text.trim() === "") return []
  return text.split(",").map((value) => value.trim())
}
