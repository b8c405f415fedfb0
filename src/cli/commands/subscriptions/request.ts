import { z } from "zod"
import { SignalboxError } from "../../../core/errors.ts"
import { textOption, type CommandContext } from "../../command.ts"
import { askHub } from "../../remote.ts"

/** One action of `signalbox subscriptions`; the answer is the exit status. */
export interface SubscriptionAction {
  /** What follows its name. */
  usage: string
  run(context: CommandContext): Promise<number>
}

/** A subscription as the hub shows it, as far as is printed here. */
export const subscription = z.looseObject({
  id: z.string(),
  name: z.string(),
  url: z.string(),
  stream: z.string(),
  status: z.string(),
  skips: z.boolean(),
  health: z.looseObject({ failingSince: z.string().nullable(), lastSuccessAt: z.string().nullable() }),
  disabled: z.looseObject({ reason: z.string() }).nullable(),
  secret: z.string().optional(),
})

/** Asks the hub for something under `/api/v1/subscriptions`, with a body where there is one. */
export async function ask<T>(
  context: CommandContext,
  schema: z.ZodType<T>,
  method: string,
  path: string,
  body?: object,
): Promise<T> {
  return askHub(context, schema, method, `/api/v1/subscriptions${path}`, body)
}

/** `/NAME` of the subscription that the first argument names. */
export function pathOf({ positionals }: CommandContext): string {
  const [, named] = positionals
  if (named === undefined)
    throw new SignalboxError("bad_request", "name the subscription, by its name or its id")
  return `/${encodeURIComponent(named)}`
}

/** The value of an option that is a number; undefined where it was not given. */
export function numberOption({ options }: CommandContext, name: string): number | undefined {
  const text = textOption(options, name)
  if (text === undefined) return undefined
  const value = Number(text)
  if (text.trim() !== "" && Number.isFinite(value)) return value
  throw new SignalboxError("bad_request", `--${name} takes a number`)
}
