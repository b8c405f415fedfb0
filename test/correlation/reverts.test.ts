import { expect, it } from "vitest"
import { isRevert } from "../../src/correlation/revert.ts"
import { correlate } from "./support.ts"

it.each([
  'Revert "ENG-1 limits"',
  'Revert "ENG-1 limits" (#42)',
  "Revert ENG-1 limits",
  "revert ENG-1",
  "Reverts ENG-1 limits",
  "Reverting ENG-1",
  "Revert: ENG-1 limits",
  "revert(api)!: ENG-1 limits",
  "[Revert] ENG-1 limits",
  "[revert]: ENG-1 limits",
  "[WIP] Revert ENG-1 limits",
  "chore: revert ENG-1",
  "fix(api): Revert ENG-1",
  'chore: revert "feat: limits (ENG-1)"',
  "Revert “ENG-1 limits”",
  "Revert “Revert “Revert “ENG-1 limits”””",
  'Revert "Reapply "ENG-1 limits""',
  "  Revert 'ENG-1 limits'",
  'revert: Revert "ENG-1 limits"',
])("%j is a revert's, and makes no strong link", (title) => {
  expect(isRevert(title)).toBe(true)
  const { links } = correlate({
    entity: "github:pull_request:acme/api#44",
    title,
    texts: [{ field: "title", format: "plain", text: title }],
  })
  expect(links.filter(({ to, strength }) => to === "linear:issue:ENG-1" && strength === "strong")).toEqual([])
})

it.each([
  "ENG-1 limits",
  "ENG-1: Revert the limits",
  "[ENG-1] Revert the limits",
  "Reversible limits for ENG-1",
  "Revert-button for ENG-1",
  "fix: reverted limits are shown (ENG-1)",
  'Revert "Revert "ENG-1 limits""',
  "Revert “Revert “ENG-1 limits””",
  'chore: revert "Revert "ENG-1 limits""',
  'Reapply "ENG-1 limits"',
  "Reapply ENG-1 limits",
  "Add limits (ENG-1), revert ENG-2",
  "",
])("%j is none", (title) => {
  expect(isRevert(title)).toBe(false)
})

it.each(["[a] ", "a: ", "revert ", 'Revert "', "[revert] ", "revert: ", "a(b)!: ", "[", "a(", " "])(
  "a title full of %j is told at once",
  (unit) => {
    const startedAt = performance.now()
    isRevert(`${unit.repeat(65_536 / unit.length)}!`)
    expect(performance.now() - startedAt).toBeLessThan(1_000)
  },
)
