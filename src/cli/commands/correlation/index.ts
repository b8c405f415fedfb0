import { SignalboxError } from "../../../core/errors.ts"
import type { Command } from "../../command.ts"
import { dryRunAction, dryRunOptions, dryRunUsage } from "./dry-run.ts"

/** `signalbox correlation`: what rules make of the events that are stored. */
export const correlationCommand: Command = {
  name: "correlation",
  summary: "Try a rule on the events of the past: the links it would add and remove",
  usage: `dry-run ${dryRunUsage}`,
  options: dryRunOptions,
  async run(context) {
    const [action] = context.positionals
    if (action === "dry-run") return dryRunAction(context)
    throw new SignalboxError("bad_request", `say correlation dry-run ${dryRunUsage}`)
  },
}
