import { z } from "zod"
import type { CommandContext } from "../../command.ts"
import { askUnder } from "../../remote.ts"
import { pathOfNamed } from "../../remote-actions.ts"

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

/** Asks the hub for something of its subscriptions; see `askUnder`. */
export const ask = askUnder("/api/v1/subscriptions")

/** `/NAME` of the subscription that the first argument names. */
export const pathOf = (context: CommandContext): string =>
  pathOfNamed(context, "subscription, by its name or its id")
