import type { ParseArgsOptionsConfig } from "node:util"

/** Options by name, as `parseArgs` of node:util gives them. */
export type OptionValues = Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>

/** What a command is run with. */
export interface CommandContext {
  positionals: readonly string[]
  options: OptionValues
  env: Readonly<Record<string, string | undefined>>
  /** Whether `--json` was given: machine-readable output, one JSON value a line. */
  json: boolean
  /** Ends at SIGINT or SIGTERM. */
  signal: AbortSignal
  out(line: string): void
}

/** One subcommand of `signalbox`. */
export interface Command {
  name: string
  /** One line for the list of commands. */
  summary: string
  /** What follows the name, arguments first, by which they are counted: `FROM TO [--limit N]`. */
  usage: string
  /** What follows the name where the arguments say which action is meant, for its help. */
  usageOf?(positionals: readonly string[]): Promise<string | undefined>
  options?: ParseArgsOptionsConfig
  /** Options that depend on the arguments, before any of them is read. */
  furtherOptions?(args: readonly string[]): Promise<ParseArgsOptionsConfig>
  /** Whether it goes on when nobody reads what it prints any more: the work is what it is run for. */
  outlivesReader?: boolean
  /** Runs it; the answer is the exit status. */
  run(context: CommandContext): Promise<number>
}

/** The value of a text option, if it was given. */
export function textOption(options: OptionValues, name: string): string | undefined {
  const value = options[name]
  return typeof value === "string" ? value : undefined
}

/** Every value of an option that may be given several times. */
export function listOption(options: OptionValues, name: string): string[] {
  return [options[name] ?? []].flat().filter((value) => typeof value === "string")
}
