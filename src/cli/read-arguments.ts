import { parseArgs, type ParseArgsOptionsConfig } from "node:util"
import { SignalboxError } from "../core/errors.ts"
import { nearestName } from "../core/nearest-name.ts"
import type { Command, OptionValues } from "./command.ts"

/** What follows a command's name, taken apart. */
export interface Arguments {
  positionals: readonly string[]
  options: OptionValues
}

/**
 * Takes apart what follows a command's name. Throws `bad_request` for an option that the command does not have,
 * with the one that may be meant, and for more arguments than its usage names.
 */
export async function readArguments(command: Command, args: readonly string[]): Promise<Arguments> {
  const options: ParseArgsOptionsConfig = {
    ...(await command.furtherOptions?.(args)),
    ...command.options,
    json: { type: "boolean" },
    help: { type: "boolean", short: "h" },
  }
  refuseUnknown(command, args, options)
  const { values, positionals } = parse({ args: [...args], options, allowPositionals: true })
  if (values["help"] !== true) await refuseSurplus(command, positionals)
  return { positionals, options: values }
}

function parse(config: { args: string[]; options: ParseArgsOptionsConfig; allowPositionals: true }) {
  try {
    return parseArgs(config)
  } catch (cause) {
    const [reason] = (cause instanceof Error ? cause.message : String(cause)).split("\n")
    throw new SignalboxError("bad_request", reason ?? "", { cause })
  }
}

/** What parseArgs says of it tells how to pass it as an argument, and names no option that there is. */
function refuseUnknown(command: Command, args: readonly string[], options: ParseArgsOptionsConfig): void {
  const { tokens } = parseArgs({
    args: [...args],
    options,
    allowPositionals: true,
    strict: false,
    tokens: true,
  })
  const unknown = tokens.find((token) => token.kind === "option" && !Object.hasOwn(options, token.name))
  if (unknown?.kind !== "option") return
  const { name, rawName } = unknown
  const meant = rawName.startsWith("--") ? nearestName(name, Object.keys(options)) : undefined
  const advice =
    meant === undefined
      ? `signalbox ${command.name} --help lists those there are`
      : `did you mean --${meant}?`
  throw new SignalboxError("bad_request", `there is no option ${rawName}: ${advice}`)
}

/** An argument that nobody reads would be taken for obeyed: that of a filter, or a second thing to ask about. */
async function refuseSurplus(command: Command, positionals: readonly string[]): Promise<void> {
  const usage = command.usageOf === undefined ? command.usage : await command.usageOf(positionals)
  if (usage === undefined) return // there is no such action, which the command says itself
  const surplus = positionals[argumentsIn(usage)]
  if (surplus === undefined) return
  throw new SignalboxError(
    "bad_request",
    `"${surplus}" is one argument too many\nusage: signalbox ${command.name} ${usage}`,
  )
}

/** How many arguments a usage names: they come first in it, before any option. */
function argumentsIn(usage: string): number {
  const words = usage.split(/\s+/).filter((word) => word !== "")
  const end = words.findIndex((word) => /^[[(]*--/.test(word) || word === "|" || word === "<")
  return end === -1 ? words.length : end
}
