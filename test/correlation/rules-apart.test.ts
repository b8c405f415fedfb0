import { describe, expect, it } from "vitest"
import type { Reference } from "../../src/core/envelope.ts"
import type { Normalized, TextField } from "../../src/core/platform.ts"
import { correlate, shortLinks } from "./support.ts"

const pr = "github:pull_request:acme/api#42"
const issue = "linear:issue:ENG-123"
const issueId = "linear:issue_id:5b8e1c1e-0000-4000-8000-000000000123"
const commit = `github:commit:${"a".repeat(40)}`
const otherSha = "b".repeat(40)

const text = (field: string, given: string, format: TextField["format"] = "plain"): TextField => ({
  field,
  format,
  text: given,
})
const reference = (entity: string, relation: string): Reference => ({
  entity,
  relation,
  evidence: { field: relation, text: entity },
})
const links = (given: Partial<Normalized>): string[] => shortLinks(correlate(given))
const opened = (texts: TextField[], title: string) => links({ entity: pr, title, texts })
const push = (written: string) =>
  links({ type: "github.push.pushed", texts: [{ ...text("commit", written), subject: commit }] })

const named = (count: number, from = 1) =>
  Array.from({ length: count }, (_, n) => `Closes ENG-${from + n}`).join("\n")
const addresses = (count: number, from: number) =>
  Array.from({ length: count }, (_, n) => `- https://linear.app/acme/issue/ENG-${from + n}`).join("\n")
const release = (title: string, body: string, bot = false) =>
  opened([text("title", title), { ...text("body", body, "markdown"), bot }], title)
const strong = (found: string[]) => found.filter((link) => link.includes("(strong"))
const titled = (title: string) => opened([text("title", title)], title).map((link) => link.split(" ")[1])

describe("a list of issues", () => {
  it("of a release makes weak links alone, though its title names few of them", () => {
    const found = release("Release: ENG-1, ENG-2, ENG-3 and more", named(57, 4))
    expect(found).toHaveLength(60)
    expect(strong(found)).toEqual([])
  })

  it("of a release that is cut into fields makes weak links alone", () => {
    const title = "Release 2: ENG-1 ENG-2 ENG-3 ENG-4 ENG-5"
    expect(strong(release(title, `${named(5, 6)}\n\n${addresses(5, 11)}`))).toEqual([])
    expect(strong(release(title, named(5, 6)))).toEqual([])
    expect(strong(release("Release 2", `${named(5, 6)}\n\n${addresses(5, 11)}`))).toEqual([])
    // What two fields name is one thing, and so much may be one piece of work.
    expect(strong(release(title, named(5, 1)))).toHaveLength(10)
    expect(strong(release("ENG-1 Add limits", named(5, 2)))).toHaveLength(6)
  })

  it("of what a pull request is about beside its title leaves the title strong", () => {
    const mentions = Array.from({ length: 12 }, (_, n) => `see ENG-${n + 10}`).join("\n")
    expect(strong(release("ENG-1 Add limits", mentions))).toEqual([
      `${pr} -implements-> linear:issue:ENG-1 (strong, pull_request_title_names_issue)`,
    ])
  })

  it("that a program wrote is weak, unless title or branch say so too", () => {
    expect(strong(release("Bump left-pad", named(1), true))).toEqual([])
    expect(strong(release("ENG-1 Bump left-pad", named(1), true))).toEqual([
      `${pr} -implements-> linear:issue:ENG-1 (strong, pull_request_title_names_issue)`,
    ])
    expect(strong(release("Bump left-pad", named(1)))).toHaveLength(1)
  })
})

describe("issues among each other", () => {
  it("are one story where one duplicates the other", () => {
    const duplicate = links({ entity: issueId, references: [reference(issue, "duplicates")] })
    expect(duplicate).toEqual([`${issueId} -duplicates-> ${issue} (strong, duplicates)`])
    const here = "github:issue:acme/api#7"
    const comment = (said: string, bot = false) =>
      links({
        type: "github.issue_comment.created",
        entity: here,
        texts: [{ ...text("comment", said, "markdown"), bot, document: "github:issue_comment:1" }],
      })
    expect(comment("Duplicate of #12")).toEqual([
      `${here} -duplicates-> github:issue:acme/api#12 (strong, duplicates)`,
    ])
    expect(comment("Duplicate of #12", true)[0]).toContain("(weak, duplicates)")
    expect(comment("No duplicate of #12 at all")[0]).toContain("-mentions->")
  })

  it("are shown at each other where one blocks the other or has to do with it", () => {
    const related = (relation: string) => links({ entity: issueId, references: [reference(issue, relation)] })
    expect(related("blocks")).toEqual([`${issueId} -blocks-> ${issue} (weak, issue_blocks_issue)`])
    expect(related("blocked_by")).toEqual([`${issue} -blocks-> ${issueId} (weak, issue_blocked_by_issue)`])
    expect(related("related")).toEqual([`${issueId} -related-> ${issue} (weak, issue_related_to_issue)`])
  })
})

describe("what undoes and repeats", () => {
  it("ties a picked commit to the one it was picked from", () => {
    expect(push(`Add limits\n\n(cherry picked from commit ${otherSha})`)).toEqual([
      `${commit} -cherry_picks-> github:commit:${otherSha} (strong, cherry_picks)`,
    ])
  })

  it("lets a revert of a revert implement again what the first did", () => {
    expect(titled('Revert "ENG-123 Add limits"')).toEqual(["-mentions->"])
    expect(titled('Revert "Revert "ENG-123 Add limits""')).toEqual(["-implements->"])
    expect(titled('Reapply "ENG-123 Add limits"')).toEqual(["-implements->"])
    expect(titled('Revert "Reapply "ENG-123 Add limits""')).toEqual(["-mentions->"])
  })
})
