import { readFile } from "node:fs/promises"
import { expect, it } from "vitest"
import { custom } from "../../src/platforms/custom/index.ts"
import { proseMembers } from "../../src/platforms/custom/normalize.ts"
import { correlate, shortLinks } from "../correlation/support.ts"

const receivedAt = new Date("2026-11-21T12:00:00Z")
const normalized = (more: object) =>
  custom.normalize({
    headers: {},
    contentType: "application/json",
    payload: { type: "pager.incident.opened", entity: "pager:incident:7", ...more },
    receivedAt,
  })
const linksOf = (more: object) => shortLinks(correlate(normalized(more), { platform: "custom" }))

const mention = ["pager:incident:7 -mentions-> linear:issue:ENG-4 (weak, mention)"]

it("the docs list the texts in which keys are looked for, and no others", async () => {
  const page = await readFile(new URL("../../docs/sending.md", import.meta.url), "utf8")
  const texts = page.split("### Texts\n")[1]?.split(/^###? /m)[0] ?? ""
  const [own, payload, ...more] = [...texts.matchAll(/^- (.*)$/gm)].map(([line]) =>
    [...line.matchAll(/`(\w+)`/g)].map(([, name = ""]) => name),
  )
  expect([own, payload, more]).toEqual([["title", "url"], ["payload", ...proseMembers], []])
})

it("a key in the title is a mention, and what the url leads to is attached, both weak", () => {
  expect(linksOf({ title: "Like ENG-4" })).toEqual(mention)
  expect(linksOf({ url: "https://linear.app/acme/issue/ENG-4" })).toEqual([
    "pager:incident:7 -attached-> linear:issue:ENG-4 (weak, mention)",
  ])
})

it.each(proseMembers)("a key in the payload's %s makes a weak link", (name) => {
  expect(linksOf({ payload: { [name]: "Like ENG-4" } })).toEqual(mention)
  expect(linksOf({ payload: { [name]: "Closes ENG-4" } })).toEqual([
    "pager:incident:7 -closes-> linear:issue:ENG-4 (weak, mention)",
  ])
})

it.each([
  ["another member", { payload: { note: "Like ENG-4" } }],
  ["a list", { payload: { text: ["Like ENG-4"] } }],
  ["what stands further down", { payload: { data: { message: "Like ENG-4" } } }],
  ["a payload that is a text", { payload: "Like ENG-4" }],
  ["a payload that is a list", { payload: ["Like ENG-4", { text: "Like ENG-4" }] }],
  ["a member beside the payload", { text: "Like ENG-4" }],
])("a key in %s is none", (_, more) => {
  expect(normalized(more).texts).toEqual([])
  expect(linksOf(more)).toEqual([])
})
