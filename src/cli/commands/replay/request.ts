import { z } from "zod"
import { SignalboxError } from "../../../core/errors.ts"
import type { CommandContext } from "../../command.ts"
import { askHub } from "../../remote.ts"

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

/** Asks the hub for something under `/api/v1/replays`, with a body where there is one. */
export async function ask<T>(
  context: CommandContext,
  schema: z.ZodType<T>,
  method: string,
  path: string,
  body?: object,
): Promise<T> {
  return askHub(context, schema, method, `/api/v1/replays${path}`, body)
}

/** `/ID` of the replay that the first argument names. */
export function pathOf({ positionals }: CommandContext): string {
  const [, id] = positionals
  if (id === undefined) throw new SignalboxError("bad_request", "name the replay, by its id")
  return `/${encodeURIComponent(id)}`
}
