import { parseArgs } from "node:util"
import { SignalboxError } from "../core/errors.ts"
import type { Command } from "./command.ts"
import { commands } from "./commands/index.ts"

process.exitCode = await main(process.argv.slice(2))

async function main(args: string[]): Promise<number> {
  const [name, ...rest] = args
  if (name === undefined || name === "help" || name === "--help" || name === "-h") {
    process.stdout.write(overview())
    return name === undefined ? 2 : 0
  }
  const command = commands.find((candidate) => candidate.name === name)
  if (command === undefined) {
    process.stderr.write(`signalbox: no command ${name}; signalbox help lists them\n`)
    return 2
  }
  return run(command, rest)
}

async function run(command: Command, args: string[]): Promise<number> {
  const shutdown = new AbortController()
  // The first signal asks for an orderly end, a second one does not wait for it.
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => (shutdown.signal.aborted ? process.exit(130) : shutdown.abort(signal)))
  }
  try {
    const { values, positionals } = await readArguments(command, args)
    if (values["help"] === true) {
      const usage = (await command.usageOf?.(positionals)) ?? command.usage
      process.stdout.write(`signalbox ${command.name} ${usage}\n\n${command.summary}\n`)
      return 0
    }
    return await command.run({
      positionals,
      options: values,
      env: process.env,
      json: values["json"] === true,
      signal: shutdown.signal,
      out: (line) => process.stdout.write(`${line}\n`),
    })
  } catch (error) {
    process.stderr.write(`signalbox ${command.name}: ${explain(error)}\n`)
    return statusOf(error)
  }
}

async function readArguments(command: Command, args: string[]) {
  const further = await command.furtherOptions?.(args)
  try {
    return parseArgs({
      args,
      options: {
        ...further,
        ...command.options,
        json: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
      allowPositionals: true,
    })
  } catch (cause) {
    const [reason] = (cause instanceof Error ? cause.message : String(cause)).split("\n")
    throw new SignalboxError("bad_request", reason ?? "", { cause })
  }
}

/** 2 for what its reader can mend before trying again; 1 for what failed here, and where what was named is not there. */
function statusOf(error: unknown): number {
  if (!(error instanceof SignalboxError)) return 1
  return error.code === "internal" || error.code === "not_found" ? 1 : 2
}

/** One line for an error whose cause its reader can mend, the stack for one that is ours. */
function explain(error: unknown): string {
  if (error instanceof SignalboxError) return error.message
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

function overview(): string {
  const width = Math.max(...commands.map((command) => command.name.length))
  const lines = commands.map((command) => `  ${command.name.padEnd(width)}  ${command.summary}`)
  return `signalbox <command> [options]\n\n${lines.join("\n")}\n\nEvery command takes --json and --help. It ends with 0, with 1 where what was asked for is not there or failed, with 2 for a mistake in the command or its configuration.\n`
}
