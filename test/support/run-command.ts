import type { Command } from "../../src/cli/command.ts"
import { readArguments } from "../../src/cli/read-arguments.ts"

/** What a command has printed, and its exit status. */
export interface CommandRun {
  status: number
  lines: string[]
}

/** Runs a command within this process, its arguments read as the program reads them. */
export async function runCommand(
  command: Command,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<CommandRun> {
  const { positionals, options } = await readArguments(command, args)
  const lines: string[] = []
  const status = await command.run({
    positionals,
    options,
    env,
    json: options["json"] === true,
    signal: new AbortController().signal,
    out: (line) => lines.push(line),
  })
  return { status, lines }
}

/** The same with `--json`; answers each line parsed, for a test to look into as it likes. */
export async function runJsonCommand(
  command: Command,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
) {
  const { status, lines } = await runCommand(command, [...args, "--json"], env)
  // oxlint-disable-next-line typescript/no-unsafe-return -- what a command prints has no type
  return { status, values: lines.map((line) => JSON.parse(line)) }
}
