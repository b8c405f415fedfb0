import { z } from "zod"

/** A time with its zone, or a date, which stands for its beginning in UTC. */
export const instant = z
  .union([z.iso.datetime({ offset: true }), z.iso.date()], {
    error: ({ input }) => timeFault(input, ", or a date such as 2026-11-01"),
  })
  .transform((text) => new Date(text))

const withoutZone = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?$/
/** Its offset's + stood in an address as it is, where it means a blank. */
const withBlank = /^\d{4}-\d\d-\d\dT[\d:.]+ \d\d:?\d\d$/

/** Why something is no time; `also` says what else would do. */
export function timeFault(given: unknown, also = ""): string {
  const text = typeof given === "string" ? given : ""
  if (withoutZone.test(text)) return `has no zone: ${text}Z is UTC, ${text}+01:00 an hour ahead of it`
  const blank = withBlank.test(text) ? "; in an address + is %2B" : ""
  return `must be a time such as 2026-11-01T00:00:00Z${also}${blank}`
}
