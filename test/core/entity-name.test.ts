import { describe, expect, it } from "vitest"
import { readEntityName } from "../../src/core/entity-name.ts"
import { entityFromUrl } from "../../src/platforms/entity-from-url.ts"
import { platforms } from "../../src/platforms/index.ts"

const read = (text: string) => readEntityName(text, entityFromUrl(platforms))
const sha = "4f2a1c9be8d7306a5b4c3d2e1f00112233445566"

describe("a name is read as what people mean by it", () => {
  it.each([
    ["ENG-123", "linear:issue:ENG-123"],
    [" eng-123 ", "linear:issue:ENG-123"],
    ["4u-7", "linear:issue:4U-7"],
    [sha.toUpperCase(), `github:commit:${sha}`],
    ["a".repeat(64), `github:commit:${"a".repeat(64)}`],
    ["https://github.com/Acme/API/pull/42/files#diff-1", "github:pull_request:acme/api#42"],
    ["https://github.com/acme/api/issues/7", "github:issue:acme/api#7"],
    [`https://github.com/acme/api/commit/${sha}`, `github:commit:${sha}`],
    ["https://linear.app/acme/issue/ENG-123/limit-requests", "linear:issue:ENG-123"],
    ["https://acme.slack.com/archives/C1/p1700000000000100", "slack:message:*/C1/1700000000.000100"],
    ["linear:issue:eng-123", "linear:issue:ENG-123"],
    ["GitHub:pull_request:Acme/API#42", "github:pull_request:acme/api#42"],
    ["deployment:vercel/dpl_1", "deployment:vercel/dpl_1"],
    ["slack:thread:T1/C1/1700000000.000100", "slack:thread:T1/C1/1700000000.000100"],
  ])("%s", (text, key) => {
    expect(read(text)).toEqual({ keys: [key] })
  })

  it("a number in a repository is a pull request, or else an issue", () => {
    expect(read("Acme/api.js#42")).toEqual({
      keys: ["github:pull_request:acme/api.js#42", "github:issue:acme/api.js#42"],
    })
  })

  it("seven digits and more are the beginning of a commit", () => {
    expect(read("4F2A1C9")).toEqual({ commit: "4f2a1c9" })
    expect(read(sha.slice(0, 39))).toEqual({ commit: sha.slice(0, 39) })
  })
})

it.each(["limits", "4f2a1c", "#42", "acme/api", "ENG-", "", "github:42", "deadbee g"])(
  "%j names nothing, and what would is said",
  (text) => {
    expect(() => read(text)).toThrow(/names nothing: give an issue \(ENG-123\).*acme\/api#42.*seven digits/)
  },
)

it.each([
  "https://github.com/acme/api",
  "https://example.org/ENG-123",
  "https://linear.app/acme/team/ENG",
  "https://",
])("the address %s is of no thing, and that is said", (text) => {
  expect(() => read(text)).toThrow(/no thing is known by the address/)
})
