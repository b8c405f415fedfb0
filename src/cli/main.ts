import { SignalboxError } from "../core/errors.ts"
import { nearestName } from "../core/nearest-name.ts"
import type { Command } from "./command.ts"
import { commands } from "./commands/index.ts"
import { ReaderGone, watchOutput } from "./output.ts"
import { readArguments } from "./read-arguments.ts"

const { out } = watchOutput(process.stdout)
watchOutput(process.stderr)

process.exitCode = await main(process.argv.slice(2))

async function main(args: string[]): Promise<number> {
  const [name, ...rest] = args
  if (name === undefined || name === "help" || name === "--help" || name === "-h") {
    process.stdout.write(overview())
    return name === undefined ? 2 : 0
  }
  const command = commands.find((candidate) => candidate.name === name)
  if (command === undefined) {
    const meant = nearestName(
      name,
      commands.map((one) => one.name),
    )
    const advice = meant === undefined ? "signalbox help lists them" : `did you mean ${meant}?`
    process.stderr.write(`signalbox: no command ${name}: ${advice}\n`)
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
    const { positionals, options } = await readArguments(command, args)
    if (options["help"] === true) {
      const usage = (await command.usageOf?.(positionals)) ?? command.usage
      process.stdout.write(`signalbox ${command.name} ${usage}\n\n${command.summary}\n`)
      return 0
    }
    return await command.run({
      positionals,
      options,
      env: process.env,
      json: options["json"] === true,
      signal: shutdown.signal,
      out: (line) => out(line, command.outlivesReader),
    })
  } catch (error) {
    if (error instanceof ReaderGone) return 0
    process.stderr.write(`signalbox ${command.name}: ${explain(error)}\n`)
    return statusOf(error)
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
