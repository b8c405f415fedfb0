import { z } from "zod"
import { optional } from "../core/optional-variable.ts"

/** Where NATS is, and as whom to go there. */
export interface NatsAddress {
  /** `host:port`, one or several of the same cluster. */
  servers: string[]
  tls: boolean
  user?: string
  password?: string
  token?: string
}

/** What of the stream's configuration the environment may say; what it does not is left as it is. */
export interface StreamSettings {
  replicas?: number | undefined
  storage?: "file" | "memory" | undefined
  compression?: "none" | "s2" | undefined
  /** Seconds after which messages are dropped; 0 keeps them. */
  maxAgeSeconds?: number | undefined
  /** Bytes of messages beyond which the oldest are dropped. */
  maxBytes?: number | undefined
}

/** Everything the environment says of NATS. */
export interface NatsSettings extends StreamSettings {
  address: NatsAddress
  /** File with a JWT and its key, as `nsc` makes it. */
  credentialsFile?: string | undefined
  /** First token of the subjects. */
  prefix: string
}

const urlForm =
  "must be nats://host:port or tls://host:port, with user:password@ or token@ where it needs that, several comma-separated"

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }
const unitBytes: Readonly<Record<string, number>> = { MB: 1e6, GB: 1e9, TB: 1e12 }

/** The variables that concern NATS, for the schema of the environment. */
export const natsVariables = {
  NATS_URL: optional(
    z.string().transform((text, context) => {
      const address = readNatsUrl(text)
      if (address !== null) return address
      context.addIssue({ code: "custom", message: urlForm })
      return z.NEVER
    }),
  ),
  SIGNALBOX_NATS_CREDS: optional(z.string()),
  SIGNALBOX_NATS_PREFIX: optional(
    z.string().regex(/^[a-z0-9][a-z0-9_-]{0,31}$/, "must be 1 to 32 of a-z, 0-9, _ and -"),
  ),
  SIGNALBOX_NATS_REPLICAS: optional(
    z.coerce
      .number("must be 1, 3 or 5")
      .refine((count) => count === 1 || count === 3 || count === 5, "must be 1, 3 or 5"), // an even one bears no more losses
  ),
  SIGNALBOX_NATS_STORAGE: optional(z.enum(["file", "memory"], "must be file or memory")),
  SIGNALBOX_NATS_COMPRESSION: optional(z.enum(["none", "s2"], "must be none or s2")),
  SIGNALBOX_NATS_MAX_AGE: optional(
    z
      .string()
      .regex(/^(0|\d{1,6}[smhd])$/, "must be a duration such as 12h or 7d, or 0 to keep everything")
      .transform((text) => Number.parseInt(text, 10) * (unitSeconds[text.at(-1) ?? ""] ?? 0)),
  ),
  SIGNALBOX_NATS_MAX_BYTES: optional(
    z
      .string()
      .regex(/^\d{1,6}(MB|GB|TB)$/, "must be a size such as 500MB or 50GB")
      .transform((text) => Number.parseInt(text, 10) * (unitBytes[text.slice(-2)] ?? 0)),
  ),
}

/** The settings that the variables make; undefined where NATS is not used. */
export function natsSettings(
  variables: z.output<z.ZodObject<typeof natsVariables>>,
): NatsSettings | undefined {
  const { NATS_URL: address } = variables
  if (address === undefined) return undefined
  return {
    address,
    credentialsFile: variables.SIGNALBOX_NATS_CREDS,
    prefix: variables.SIGNALBOX_NATS_PREFIX ?? "signalbox",
    replicas: variables.SIGNALBOX_NATS_REPLICAS,
    storage: variables.SIGNALBOX_NATS_STORAGE,
    compression: variables.SIGNALBOX_NATS_COMPRESSION,
    maxAgeSeconds: variables.SIGNALBOX_NATS_MAX_AGE,
    maxBytes: variables.SIGNALBOX_NATS_MAX_BYTES,
  }
}

/** Reads NATS_URL; null where it is malformed, or says two things of whom to go as. */
export function readNatsUrl(text: string): NatsAddress | null {
  const urls = text.split(",").map((part) => URL.parse(part.trim()))
  const servers: string[] = []
  const users = new Set<string>()
  const kinds = new Set<string>()
  for (const url of urls) {
    if (url === null || url.hostname === "" || !/^(nats|tls):$/.test(url.protocol)) return null
    if (!/^\/?$/.test(url.pathname) || url.search !== "" || url.hash !== "" || url.port === "0") return null
    servers.push(`${url.hostname}:${url.port === "" ? 4222 : url.port}`)
    kinds.add(url.protocol)
    if (url.username !== "") users.add(JSON.stringify([url.username, url.password]))
    else if (url.password !== "") return null
  }
  if (users.size > 1 || kinds.size > 1) return null
  return { servers, tls: kinds.has("tls:"), ...identityIn(urls.find((url) => url?.username !== "") ?? null) }
}

function identityIn(url: URL | null): Pick<NatsAddress, "user" | "password" | "token"> {
  if (url === null) return {}
  const [user, password] = [decoded(url.username), decoded(url.password)]
  return password === "" ? { token: user } : { user, password }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text // a percent sign that stands for itself
  }
}
