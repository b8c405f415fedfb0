import { createKey } from "../../auth/keys.ts"
import { scopes, type Scope } from "../../auth/scopes.ts"
import { loadConfig } from "../../config.ts"
import { SignalboxError } from "../../core/errors.ts"
import { isUuid } from "../../core/uuid.ts"
import { platforms } from "../../platforms/index.ts"
import { listApiKeys, noLimits, revokeApiKey, updateKeyLimits, type KeyLimits } from "../../store/api-keys.ts"
import { openDatabase, type Database } from "../../store/database.ts"
import { textOption, type Command, type CommandContext, type OptionValues } from "../command.ts"
import { withSchema } from "../database.ts"

/** One action of `signalbox keys`; the answer is the exit status. */
interface KeyAction {
  /** What follows its name. */
  usage: string
  run(database: Database, context: CommandContext): Promise<number>
}

const limitUsage = "[--requests-per-second N|off] [--events-per-second N|off]"

const actions: Readonly<Record<string, KeyAction>> = {
  create: {
    usage: `NAME --scopes ${scopes.join(",")} [--tenant T] [--expires-days N] ${limitUsage}`,
    async run(database, { positionals, options, json, out }) {
      const name = positionals[1]
      if (name === undefined) throw new SignalboxError("bad_request", "give the key a name: keys create NAME")
      const { key, row } = await createKey(database.work, {
        name,
        tenant: textOption(options, "tenant") ?? "default",
        scopes: readScopes(textOption(options, "scopes")),
        expiresAt: readExpiry(textOption(options, "expires-days")),
        limits: { ...noLimits, ...readLimits(options) },
      })
      out(json ? JSON.stringify({ ...row, key }) : `${key}\nThis is shown once: keep it.`)
      return 0
    },
  },

  list: {
    usage: "[--tenant T]",
    async run(database, { options, json, out }) {
      const tenant = textOption(options, "tenant") ?? null
      const rows = await listApiKeys(database.work, tenant, { limit: 500, before: null })
      for (const row of rows) {
        const state = row.revokedAt ? "revoked" : "in force"
        out(
          json
            ? JSON.stringify(row)
            : `${row.id}  ${row.prefix}…  ${state}  ${row.tenant}  ${row.scopes.join(",")}  ${limitsOf(row)}  ${row.name}`,
        )
      }
      return 0
    },
  },

  limit: {
    usage: `ID ${limitUsage}`,
    async run(database, { positionals, options, json, out }) {
      const id = positionals[1] ?? ""
      const limits = readLimits(options)
      if (Object.keys(limits).length === 0) {
        throw new SignalboxError(
          "bad_request",
          "give --requests-per-second or --events-per-second: a number, or off",
        )
      }
      const row = isUuid(id) ? await updateKeyLimits(database.work, null, id, limits) : undefined
      if (row === undefined) throw unknown()
      out(
        json
          ? JSON.stringify(row)
          : `${limitsOf(row)}; running hubs obey within five seconds, open streams when they are opened anew`,
      )
      return 0
    },
  },

  revoke: {
    usage: "ID",
    async run(database, { positionals, json, out }) {
      const id = positionals[1] ?? ""
      const revoked = isUuid(id) && (await revokeApiKey(database.work, null, id))
      if (!revoked) throw unknown()
      out(json ? JSON.stringify({ id, revoked }) : "revoked; running hubs obey within five seconds")
      return 0
    },
  },
}

/** `signalbox keys`: make, list and revoke API keys, straight in the database. */
export const keysCommand: Command = {
  name: "keys",
  summary: "Make, list or revoke API keys",
  usage: Object.entries(actions)
    .map(([name, { usage }]) => `${name} ${usage}`.trimEnd())
    .join("\n  signalbox keys "),
  async usageOf([name = ""]) {
    const usage = find(name)?.usage
    return usage === undefined ? undefined : `${name} ${usage}`.trimEnd()
  },
  options: {
    scopes: { type: "string" },
    tenant: { type: "string" },
    "expires-days": { type: "string" },
    "requests-per-second": { type: "string" },
    "events-per-second": { type: "string" },
  },
  async run(context) {
    const action = find(context.positionals[0] ?? "list")
    if (action === undefined) {
      throw new SignalboxError("bad_request", "say create NAME, list, limit ID, or revoke ID")
    }
    return withSchema(loadConfig(context.env, platforms), async (url) => {
      const database = openDatabase({ url, maxWork: 1, maxRead: 1 })
      try {
        return await action.run(database, context)
      } finally {
        await database.close()
      }
    })
  },
}

function find(name: string): KeyAction | undefined {
  return Object.hasOwn(actions, name) ? actions[name] : undefined
}

function unknown(): SignalboxError {
  return new SignalboxError("not_found", "no key in force has this id: keys list shows them")
}

/** The limits that the options give; those that they do not name are absent. */
function readLimits(options: OptionValues): Partial<KeyLimits> {
  const requestsPerSecond = readLimit(options, "requests-per-second")
  const eventsPerSecond = readLimit(options, "events-per-second")
  return {
    ...(requestsPerSecond === undefined ? {} : { requestsPerSecond }),
    ...(eventsPerSecond === undefined ? {} : { eventsPerSecond }),
  }
}

function readLimit(options: OptionValues, name: string): number | null | undefined {
  const text = textOption(options, name)
  if (text === undefined) return undefined
  if (text === "off") return null
  const perSecond = /^\d{1,6}(\.\d{1,3})?$/.test(text) ? Number(text) : 0
  if (perSecond > 0) return perSecond
  throw new SignalboxError("bad_request", `--${name} takes a number above 0, or off`)
}

function limitsOf({ requestsPerSecond, eventsPerSecond }: KeyLimits): string {
  const told = [
    ...(requestsPerSecond === null ? [] : [`${requestsPerSecond} requests/s`]),
    ...(eventsPerSecond === null ? [] : [`${eventsPerSecond} events/s`]),
  ]
  return told.length === 0 ? "no limits" : told.join(", ")
}

function readScopes(text: string | undefined): Scope[] {
  const wanted = (text ?? "").split(",").filter((part) => part !== "")
  const known = scopes.filter((scope) => wanted.includes(scope))
  if (wanted.length === 0 || known.length !== new Set(wanted).size) {
    throw new SignalboxError("bad_request", `--scopes takes a comma-separated list of ${scopes.join(", ")}`)
  }
  return known
}

function readExpiry(text: string | undefined): Date | null {
  if (text === undefined) return null
  const days = Number(text)
  if (!(days > 0)) throw new SignalboxError("bad_request", "--expires-days takes a number of days")
  return new Date(Date.now() + days * 86_400_000)
}
