import { z } from "zod"

/** A time with its zone, or a date, which stands for its beginning in UTC. */
export const instant = z
  .union(
    [z.iso.datetime({ offset: true }), z.iso.date()],
    "must be a time such as 2026-11-01T00:00:00Z, or a date such as 2026-11-01",
  )
  .transform((text) => new Date(text))
