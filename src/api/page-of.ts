import { z } from "zod"
import { decodeCursor, encodeCursor } from "./cursor.ts"

/** What asks for a page of a list that is at hand as a whole: all of it where that is no more than 500. */
export const pageOfAll = z.strictObject({
  limit: z.coerce.number().int().min(1).max(500).default(500),
  cursor: z.string().max(2048).optional(),
})

/** The page of a list, which goes by `keyOf`: what has come or gone since the page before moves nothing else. */
export function pageOf<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
  { limit, cursor }: z.output<typeof pageOfAll>,
): { page: Item[]; nextCursor: string | null } {
  const after = cursor === undefined ? null : decodeCursor(cursor, z.tuple([z.string()]))[0]
  const keyed = items
    .map((item) => ({ item, key: keyOf(item) }))
    .filter(({ key }) => after === null || key > after)
    .toSorted((one, other) => (one.key < other.key ? -1 : 1))
  const page = keyed.slice(0, limit)
  const last = page.at(-1)
  return {
    page: page.map(({ item }) => item),
    nextCursor: keyed.length > limit && last !== undefined ? encodeCursor([last.key]) : null,
  }
}
