import { z } from "zod"
import type { CommandContext } from "../../command.ts"
import { askUnder } from "../../remote.ts"
import { pathOfNamed } from "../../remote-actions.ts"

const consumer = z.looseObject({ name: z.string(), kind: z.string(), status: z.string() })
const gap = z.object({ from: z.number(), to: z.number() }).nullish()

/** A replay as the hub shows it, as far as is printed here. */
export const replay = z.looseObject({
  id: z.string(),
  consumer,
  status: z.string(),
  estimate: z.number().nullable(),
  estimateExact: z.boolean(),
  matched: z.number(),
  underWay: z.number(),
  delivered: z.number(),
  failed: z.number(),
  skipped: z.number(),
  withdrawn: z.number(),
  outstanding: z.number(),
  createdAt: z.string(),
  gap,
})
export type ShownReplay = z.infer<typeof replay>

/** What a replay would be, as the hub counts it. */
export const estimate = z.looseObject({ consumer, events: z.number().nullable(), exact: z.boolean(), gap })

/** Asks the hub for something of its replays; see `askUnder`. */
export const ask = askUnder("/api/v1/replays")

/** `/ID` of the replay that the first argument names. */
export const pathOf = (context: CommandContext): string => pathOfNamed(context, "replay, by its id")
