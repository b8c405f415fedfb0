import { SignalboxError } from "../../../core/errors.ts"
import type { Command } from "../../command.ts"
import { remoteOptions } from "../../remote.ts"
import { dryRunAction, dryRunOptions, dryRunUsage } from "./dry-run.ts"
import { rulesAction, rulesUsage } from "./rules.ts"

/** `signalbox correlation`: the rules, and what they make of the events that are stored. */
export const correlationCommand: Command = {
  name: "correlation",
  summary: "List the rules that link, or try one on the past: the links it would add and remove",
  usage: `${rulesUsage}\n       signalbox correlation ${dryRunUsage}`,
  async usageOf([action]) {
    if (action === "dry-run") return dryRunUsage
    return action === "rules" ? rulesUsage : undefined
  },
  options: { ...remoteOptions, ...dryRunOptions },
  async run(context) {
    const [action] = context.positionals
    if (action === "dry-run") return dryRunAction(context)
    if (action === "rules") return rulesAction(context)
    throw new SignalboxError("bad_request", `say correlation ${rulesUsage}, or correlation ${dryRunUsage}`)
  },
}
