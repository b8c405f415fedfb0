import { z } from "zod"

/**
 * A value as it looks when it has gone through JSON. A schema of an answer `satisfies z.ZodType<AsJson<…>>` of
 * what the route sends, so that a member that is added there has to be described here.
 */
export type AsJson<T> = T extends Date
  ? string
  : T extends readonly (infer Item)[]
    ? AsJson<Item>[]
    : T extends object
      ? { [Key in keyof T]: AsJson<T[Key]> }
      : T

/** RFC 3339, in UTC. */
export const time = z.iso.datetime()

/** A time, or null where there is none. */
export const timeOrNull = time.nullable()

export const textOrNull = z.string().nullable()

export const numberOrNull = z.number().nullable()

/** A place in the log, or a number of places. */
export const count = z.int().min(0)

/** JSON that is no further described: a filter, the headers of a request. */
export const anyObject = z.record(z.string(), z.unknown())

/** A page of a list, under the plural of what it holds. */
export function pageOf(name: string, item: z.ZodType) {
  return z.object({
    [name]: z.array(item),
    nextCursor: textOrNull.describe("Gives the next page as `cursor`; null at the end."),
  })
}
