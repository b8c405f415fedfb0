import { expect, it } from "vitest"
import { asOfQuery } from "../../src/cli/as-of.ts"
import { readTime } from "../../src/cli/read-value.ts"

const now = new Date("2026-11-21T12:00:00Z")

it.each([
  ["0", "2026-11-21T12:00:00.000Z"],
  ["90m", "2026-11-21T10:30:00.000Z"],
  ["2026-11-01", "2026-11-01T00:00:00.000Z"],
  ["2026-11-01T10:00:00+02:00", "2026-11-01T08:00:00.000Z"],
])("--since %s is %s", (since, time) => {
  expect(readTime({ since }, "since", now)?.toISOString()).toBe(time)
})

it.each([["soon"], ["7w"], ["2026-13-01"], ["-1d"], [""]])(
  "--since %j is refused with all that would do",
  (since) => {
    expect(() => readTime({ since }, "since", now)).toThrow(
      "--since must be a time such as 2026-11-01T00:00:00Z, a date such as 2026-11-01, or how long ago: 90s, 30m, 24h, 7d, or 0",
    )
  },
)

it.each(["999999d", "0000-01-01", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59-01:00"])(
  "--since %s is refused, for which no event has an id",
  (since) => {
    expect(() => readTime({ since }, "since", now)).toThrow(
      `--since ${since} is not within the years 1970 to 9999`,
    )
    expect(readTime({ since: "1970-01-01" }, "since", now)?.getTime()).toBe(0)
  },
)

it("of a time without a zone, that is told, since here and there it would be another time", () => {
  const given = "2026-11-01T10:00:00"
  expect(() => readTime({ until: given }, "until", now)).toThrow(`--until has no zone: ${given}Z is UTC`)
  expect(() => asOfQuery({ "as-of": given })).toThrow(`--as-of has no zone: ${given}Z is UTC`)
})
