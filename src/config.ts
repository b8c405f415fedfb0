import { z } from "zod"
import { noteTargets, type NoteTarget } from "./actions/timeline-notes.ts"
import { SignalboxError } from "./core/errors.ts"
import { isNetwork } from "./core/networks.ts"
import { optional } from "./core/optional-variable.ts"
import type { Platform } from "./core/platform.ts"
import { natsSettings, natsVariables, type NatsSettings } from "./nats/settings.ts"
import { encryptionKeyForm, parseEncryptionKeys, type EncryptionKey } from "./sources/encryption-key.ts"
import type { ConnectionLimits } from "./streaming/connections.ts"
import { streamLimits, streamVariables } from "./streaming/limits.ts"

/** Parts of the work that one process may take on. */
const roles = ["ingest", "worker", "stream", "api"] as const
export type Role = (typeof roles)[number]

/** Everything the environment says, checked. */
export interface Config {
  port: number
  /** Whether somebody has named the port: a process that needs none opens one then, for probes and figures. */
  isPortGiven: boolean
  host: string
  /** Undefined: run the embedded PostgreSQL in `dataDir`. */
  databaseUrl: string | undefined
  dataDir: string
  /** Where the log is published to and streams read it; undefined where NATS is not used. */
  nats: NatsSettings | undefined
  roles: ReadonlySet<Role>
  adminKey: string | undefined
  logLevel: string
  /** Address of the hub as people reach it; undefined where nobody has said. */
  publicUrl: string | undefined
  /** Origins of pages that may use the API from a browser, `*` for all; none by default. */
  corsOrigins: readonly string[]
  /** Where links to timelines are posted; nowhere by default. */
  timelineNotes: ReadonlySet<NoteTarget>
  /** Networks that webhooks may be sent to although they are not public, as `address/prefix`. */
  allowNetworks: readonly string[]
  /** Networks of the proxies whose word on where a request comes from is taken. */
  trustedProxies: readonly string[]
  /** What one process holds for its streams, where somebody has said. */
  streamLimits: ConnectionLimits
  /** Files of rules of the user's own. */
  ruleFiles: readonly string[]
  /** Secrets of the default sources by platform; a platform that is absent is off. */
  secrets: ReadonlyMap<string, readonly string[]>
  /** Keys for stored secrets, the one that seals first; none where SIGNALBOX_ENCRYPTION_KEY is not set. */
  encryptionKeys: readonly EncryptionKey[]
  /** Credentials for calls to the platforms' APIs, by platform. */
  credentials: ReadonlyMap<string, string>
  /** Addresses of the platforms' APIs by platform, where they are not the usual ones. */
  apiUrls: ReadonlyMap<string, string>
}

const logLevels = ["fatal", "error", "warn", "info", "debug", "trace", "silent"]

/** Latin-1 without control characters, no blank first or last. */
const inHeader = /^[!-~\u00a1-\u00ff](?:[ -~\u00a0-\u00ff]*[!-~\u00a1-\u00ff])?$/

const networks = optional(
  z
    .string()
    .transform(listOf)
    .pipe(
      z.array(
        z
          .string()
          .refine(isNetwork, "must be a comma-separated list of networks such as 10.1.0.0/16 or fd00::/8"),
      ),
    ),
)

const environment = z.object({
  PORT: optional(z.coerce.number("must be a port number").int().min(0).max(65_535)),
  HOST: optional(z.string()),
  DATABASE_URL: optional(
    z.string().regex(/^postgres(ql)?:\/\//, "must be a URL that starts with postgres:// or postgresql://"),
  ),
  SIGNALBOX_DATA_DIR: optional(z.string()),
  ...natsVariables,
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
  SIGNALBOX_ENCRYPTION_KEY: optional(
    z.string().transform((text, context) => {
      const keys = parseEncryptionKeys(text)
      if (keys !== null) return keys
      context.addIssue({ code: "custom", message: encryptionKeyForm })
      return z.NEVER
    }),
  ),
  SIGNALBOX_ALLOW_NETWORKS: networks,
  SIGNALBOX_TRUSTED_PROXIES: networks,
  ...streamVariables,
  SIGNALBOX_PUBLIC_URL: optional(z.string().refine(isWebUrl, "must be an http or https URL")),
  SIGNALBOX_CORS_ORIGINS: optional(
    z
      .string()
      .transform((text) => text.split(",").map((part) => part.trim()))
      .pipe(
        z.array(
          z
            .string()
            .refine(
              (text) => text === "*" || isOrigin(text),
              "must be a comma-separated list of origins such as https://board.example.com, or *",
            ),
        ),
      ),
  ),
  SIGNALBOX_TIMELINE_NOTES: optional(
    z
      .string()
      .transform((text) => text.split(",").map((part) => part.trim()))
      .pipe(z.array(z.enum(noteTargets, `must be a comma-separated list of ${noteTargets.join(", ")}`))),
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
  const credentials = new Map<string, string>()
  const apiUrls = new Map<string, string>()
  for (const { name, calls } of platforms) {
    if (calls === undefined) continue
    const credential = env[calls.credentialVariable] ?? ""
    if (credential !== "" && !token.test(credential))
      problems.push(`${calls.credentialVariable} ${tokenForm}`)
    if (credential !== "") credentials.set(name, credential)
    const apiUrl = env[calls.apiUrlVariable] ?? ""
    if (apiUrl !== "" && !isWebUrl(apiUrl))
      problems.push(`${calls.apiUrlVariable} must be an http or https URL`)
    if (apiUrl !== "") apiUrls.set(name, apiUrl)
  }
  if (parsed.success && parsed.data.SIGNALBOX_TIMELINE_NOTES && !parsed.data.SIGNALBOX_PUBLIC_URL) {
    problems.push("SIGNALBOX_PUBLIC_URL must be set where SIGNALBOX_TIMELINE_NOTES is: notes are links to it")
  }
  if (!parsed.success || problems.length > 0) {
    throw new SignalboxError("configuration", `configuration: ${problems.join("; ")}`)
  }
  const { data } = parsed
  return {
    port: data.PORT ?? 3000,
    isPortGiven: data.PORT !== undefined,
    host: data.HOST ?? "0.0.0.0",
    databaseUrl: data.DATABASE_URL,
    dataDir: data.SIGNALBOX_DATA_DIR ?? ".signalbox",
    nats: natsSettings(data),
    roles: new Set(data.SIGNALBOX_ROLES ?? roles),
    adminKey: data.SIGNALBOX_ADMIN_KEY,
    logLevel: data.LOG_LEVEL ?? "info",
    publicUrl: data.SIGNALBOX_PUBLIC_URL,
    corsOrigins: data.SIGNALBOX_CORS_ORIGINS ?? [],
    timelineNotes: new Set(data.SIGNALBOX_TIMELINE_NOTES ?? []),
    allowNetworks: data.SIGNALBOX_ALLOW_NETWORKS ?? [],
    trustedProxies: data.SIGNALBOX_TRUSTED_PROXIES ?? [],
    streamLimits: streamLimits(data),
    ruleFiles: ruleFilesIn(env),
    secrets,
    encryptionKeys: data.SIGNALBOX_ENCRYPTION_KEY ?? [],
    credentials,
    apiUrls,
  }
}

/** The files that SIGNALBOX_RULES names, separated by commas. */
export function ruleFilesIn(env: Readonly<Record<string, string | undefined>>): string[] {
  return listOf(env["SIGNALBOX_RULES"]).filter((file) => file !== "")
}

const token = /^[\x21-\x7e]+$/
const tokenForm = "must be printable ASCII without blanks, as a header carries it"

/** A scheme, a host and perhaps a port, as a browser names a page's origin. */
function isOrigin(text: string): boolean {
  return isWebUrl(text) && new URL(text).origin === text
}

function isWebUrl(text: string): boolean {
  const url = URL.parse(text)
  return url !== null && (url.protocol === "http:" || url.protocol === "https:")
}

/** Several values stand separated by commas, as secrets do while they rotate. */
function listOf(text: string | undefined): string[] {
  if (text === undefined || text.trim() === "") return []
  return text.split(",").map((value) => value.trim())
}
