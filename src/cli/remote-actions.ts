import { SignalboxError } from "../core/errors.ts"
import type { Command, CommandContext } from "./command.ts"
import { remoteUsage } from "./remote.ts"

/** One thing that a command does with a running hub, by the word after the command's name. */
export interface RemoteAction {
  /** What follows its name. */
  usage: string
  run: Command["run"]
}

/** The parts of a command that follow from its actions; without a word it lists. */
export function remoteActions(
  command: string,
  actions: Readonly<Record<string, RemoteAction>>,
): Pick<Command, "usage" | "usageOf" | "run"> {
  const find = (name: string) => (Object.hasOwn(actions, name) ? actions[name] : undefined)
  const lines = Object.entries(actions).map(([name, { usage }]) => `${name} ${usage}`.trimEnd())
  return {
    usage: `${lines.join(`\n  signalbox ${command} `)}\n  each with ${remoteUsage}`,
    async usageOf([name = ""]) {
      const usage = find(name)?.usage
      return usage === undefined ? undefined : `${name} ${usage} ${remoteUsage}`
    },
    async run(context: CommandContext) {
      const [name = "list"] = context.positionals
      const action = find(name)
      if (action === undefined) {
        throw new SignalboxError(
          "bad_request",
          `there is no action ${name}: say ${Object.keys(actions).join(", ")}`,
        )
      }
      return action.run(context)
    },
  }
}

/** What the argument behind the action's name names; `what` says what that would be, for who names none. */
export function named({ positionals }: CommandContext, what: string): string {
  const [, name] = positionals
  if (name === undefined) throw new SignalboxError("bad_request", `name the ${what}`)
  return name
}

/** The same as the end of a path: `/NAME`. */
export function pathOfNamed(context: CommandContext, what: string): string {
  return `/${encodeURIComponent(named(context, what))}`
}
