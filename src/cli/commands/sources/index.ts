import type { ParseArgsOptionsConfig } from "node:util"
import { SignalboxError } from "../../../core/errors.ts"
import type { Connector } from "../../../core/remote.ts"
import { platformByName } from "../../../platforms/index.ts"
import type { Command, OptionValues } from "../../command.ts"
import { withSources, type SourceAction } from "./action.ts"
import { add } from "./add.ts"
import { completeness } from "./completeness.ts"
import { connect } from "./connect.ts"
import type { HubAction } from "./ledger.ts"
import { list } from "./list.ts"
import { receipts } from "./receipts.ts"
import { reconcile } from "./reconcile.ts"
import { rewrap } from "./rewrap.ts"
import { rotate } from "./rotate.ts"
import { set } from "./set.ts"
import { disable, enable } from "./switch.ts"
import { test } from "./test.ts"

const actions: ReadonlyMap<string, SourceAction> = new Map(
  Object.entries({ add, list, set, rotate, disable, enable, test, connect, receipts, rewrap }),
)

/** Those that ask a running hub, which alone knows what it has of credentials. */
const hubActions: ReadonlyMap<string, HubAction> = new Map(Object.entries({ completeness, reconcile }))

const text = { type: "string" } as const
const flag = { type: "boolean" } as const

const ownOptions: ParseArgsOptionsConfig = {
  url: text,
  hub: text,
  key: text,
  source: text,
  tenant: text,
  sender: text,
  setting: { type: "string", multiple: true },
  "secret-env": text,
  "secret-stdin": flag,
  "token-env": text,
  "token-stdin": flag,
  overlap: text,
  outcome: text,
  since: text,
  limit: text,
  timeout: text,
  apply: flag,
  follow: flag,
}

/** Those that say which source is meant. */
const everywhere: ReadonlySet<string> = new Set(["tenant", "source"])

/** `signalbox sources`: the configured senders, mostly straight in the database; running hubs hear of changes. */
export const sourcesCommand: Command = {
  name: "sources",
  summary: "Make, list, change, test, connect and reconcile sources",
  usage: [...actions, ...hubActions]
    .map(([name, { usage }]) => `${name} ${usage}`.trimEnd())
    .join("\n  signalbox sources "),
  async usageOf([name = "", path = ""]) {
    const usage = (actions.get(name) ?? hubActions.get(name))?.usage
    if (usage === undefined) return undefined
    const own = name === "connect" ? Object.entries((await connectorFor(path))?.options ?? {}) : []
    return [`${name} ${usage}`, ...own.map(([option, what]) => `  --${option}  ${what}`)].join("\n")
  },
  options: ownOptions,
  furtherOptions: connectorOptions,
  async run(context) {
    const [name = "list"] = context.positionals
    const asking = hubActions.get(name)
    const action = actions.get(name)
    const usage = (asking ?? action)?.usage
    if (usage === undefined) {
      const names = [...actions.keys(), ...hubActions.keys()]
      throw new SignalboxError("bad_request", `there is no action ${name}: say ${names.join(", ")}`)
    }
    refuseOthers(name, usage, context.options)
    return action === undefined
      ? (asking?.run(context) ?? 2)
      : withSources(context.env, (tools) => action.run(context, tools))
  },
}

/** An option that belongs to another action would be taken for obeyed. */
function refuseOthers(name: string, usage: string, options: OptionValues): void {
  const named = new Set([...usage.matchAll(/--([a-z-]+)/g)].map(([, option = ""]) => option))
  const other = Object.keys(options).find(
    (option) => ownOptions[option] !== undefined && !everywhere.has(option) && !named.has(option),
  )
  if (other === undefined) return
  throw new SignalboxError(
    "bad_request",
    `--${other} is not for sources ${name}, which takes ${usage === "" ? "none" : usage}`,
  )
}

/** `connect` takes what the platform's connector asks for, besides. */
async function connectorOptions(args: readonly string[]): Promise<ParseArgsOptionsConfig> {
  const words = args.filter((arg) => !arg.startsWith("-"))
  if (words[0] !== "connect") return {}
  for (const word of words.slice(1)) {
    const connector = await connectorFor(word)
    if (connector !== undefined) {
      return Object.fromEntries(Object.keys(connector.options).map((name) => [name, text]))
    }
  }
  return {}
}

async function connectorFor(path: string): Promise<Connector | undefined> {
  return (await platformByName(path.split("/")[0] ?? "")?.calls?.load())?.connector
}
