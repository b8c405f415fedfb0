import { beforeAll, describe, expect, it } from "vitest"
import { pullRequest } from "../../fixtures/correlation/github-payload.ts"
import { issueCreated } from "../../fixtures/correlation/linear.ts"
import { message, messageKeyAt } from "../../fixtures/correlation/slack.ts"
import { shaOf, type StoryRequest } from "../../fixtures/correlation/request.ts"
import type { Explanation } from "../../src/core/explanation.ts"
import { sendWebhook, startTestHub, until } from "../support/hub.ts"
import { pullRequestComment, pullRequestEvent, pushOf } from "./history-requests.ts"

const hub = await startTestHub()
const at = (minute: number) => new Date(Date.UTC(2026, 10, 21, 10, minute))
const pr = (number: number) => `github:pull_request:acme/api#${number}`
const issue = (number: number) => `linear:issue:ENG-${number}`

interface Texts {
  title?: string
  body?: string
  branch?: string
  byBot?: boolean
}

let sent = 0
const logged = () => hub.database.work.query<{ n: number }>("select count(*) as n from event_log")

async function tell(request: StoryRequest): Promise<void> {
  expect((await sendWebhook(hub.url, request.platform, request)).ok).toBe(true)
  sent += 1
  await until(logged, ({ rows }) => rows[0]?.n === sent)
}

/** The pull request as it stands after so many edits. */
async function stands(number: number, edits: number, texts: Texts): Promise<void> {
  const { title = "Change limits", body = "", branch = `change-${number}-x`, byBot = false } = texts
  const opened = pullRequest({ number, title, body, branch, author: "dev", openedAt: at(0) })
  await tell(pullRequestEvent(opened, edits === 0 ? "opened" : "edited", at(edits), { byBot }))
}

async function explain(from: string, to: string): Promise<Explanation> {
  const query = new URLSearchParams({ from, to }).toString()
  return (await hub.json(`/api/v1/links/explain?${query}`)).body
}

/** What is said to help, behind the sentence that tells how the two are tied now. */
async function advice(from: string, to: string): Promise<string> {
  const { verdict, nearMiss } = await explain(from, to)
  expect([verdict, nearMiss?.kind]).toEqual(["shown_only", expect.stringMatching(/^(?:weak|listed)$/)])
  return nearMiss?.detail.split("; ").slice(1).join("; ") ?? ""
}

const lines = (from: number, to: number, before: string) =>
  Array.from({ length: to - from + 1 }, (_, index) => `${before}ENG-${from + index}`).join("\n")

beforeAll(async () => {
  await tell(issueCreated({ number: 1, title: "A plan", description: "", createdAt: at(0) }))
}, 60_000)

describe("what is said to make a strong link", () => {
  it("makes one, wherever it is said to be put", async () => {
    await stands(1, 0, { body: "Goes with ENG-201" })
    expect(await advice(pr(1), issue(201))).toBe(
      "for a strong one write the line `Fixes ENG-201` into the body, or put it into the title or the branch",
    )
    for (const texts of [
      { body: "Fixes ENG-201\n\nGoes with ENG-201" },
      { title: "Change limits ENG-201" },
      { branch: "eng-201/change-1-x" },
    ]) {
      await stands(1, sent, { body: "Goes with ENG-201", ...texts })
      expect((await explain(pr(1), issue(201))).verdict).toBe("linked")
    }
  })

  it("takes none away: where one more closed is too many, it is the title or the branch", async () => {
    const body = `${lines(760, 764, "- Fixes ")}\n\nENG-766`
    await stands(2, 0, { body })
    expect(await advice(pr(2), issue(766))).toBe(
      "for a strong one put it into the title or the branch (closing words make none: too many things are named)",
    )
    await stands(2, 1, { body, title: "Change limits ENG-766" })
    for (const number of [760, 764, 766]) {
      expect((await explain(pr(2), issue(number))).verdict).toBe("linked")
    }
  })

  it("is the branch where everything else names too many things", async () => {
    const body = lines(801, 825, "- ")
    await stands(3, 0, { body })
    expect(await advice(pr(3), issue(803))).toMatch(
      /^for a strong one put it into the branch \(closing words/,
    )
    await stands(3, 1, { body: `Fixes\n${body}` })
    expect(await advice(pr(3), issue(803))).toBe("for a strong one put it into the branch")
    await stands(3, 2, { body, branch: "eng-803/change-3-x" })
    expect((await explain(pr(3), issue(803))).verdict).toBe("linked")
  })

  it("is nothing of a revert", async () => {
    const sha = shaOf("limits")
    for (const [edits, more] of ["", "\n\nFixes ENG-710"].entries()) {
      const body = `This reverts commit ${sha}.${more}`
      await stands(4, edits, { title: 'Revert "Add ENG-710"', body })
      expect(await advice(pr(4), issue(710))).toBe(
        "no wording makes a strong one: a revert implements nothing",
      )
    }
  })

  it("is nothing in what a program wrote, before and after it is tried", async () => {
    for (const [edits, body] of ["see ENG-711", "Fixes ENG-711"].entries()) {
      await stands(5, edits, { body, byBot: true })
      expect(await advice(pr(5), issue(711))).toBe(
        "for a strong one put it into the title or the branch (closing words make none: a program wrote the body)",
      )
    }
    await stands(5, 2, { body: "see ENG-711", title: "Change limits ENG-711", byBot: true })
    expect((await explain(pr(5), issue(711))).verdict).toBe("linked")
  })

  it("is the place where GitHub reads a closing word, of a number in the title", async () => {
    for (const [edits, title] of ["T #602", "Fixes #602"].entries()) {
      await stands(6, edits, { title })
      expect(await advice(pr(6), "github:issue:acme/api#602")).toBe(
        "for a strong one write the line `Fixes #602` into the body",
      )
    }
    await stands(6, 2, { title: "T #602", body: "Fixes #602" })
    expect((await explain(pr(6), "github:issue:acme/api#602")).verdict).toBe("linked")
  })

  it("is the message of a commit, but for a revert's", async () => {
    await tell(
      pushOf(
        "work",
        [
          { sha: shaOf("one"), message: "Limit more\n\nNear ENG-1" },
          { sha: shaOf("two"), message: 'Revert "Limit ENG-1"' },
        ],
        at(1),
      ),
    )
    expect(await advice(`github:commit:${shaOf("one")}`, issue(1))).toBe(
      "for a strong one write `Fixes ENG-1` in the commit's message",
    )
    expect(await advice(`github:commit:${shaOf("two")}`, issue(1))).toBe(
      "no wording makes a strong one: a revert implements nothing",
    )
  })

  it("is the address in a message", async () => {
    await tell(message("a word on it", { by: "dev", at: at(2), text: "As in ENG-1" }))
    expect(await advice(messageKeyAt(at(2)), issue(1))).toBe("for a strong one post its address")
    await tell(
      message("its address", { by: "dev", at: at(3), text: "<https://linear.app/acme/issue/ENG-1/a-plan>" }),
    )
    expect((await explain(messageKeyAt(at(3)), issue(1))).verdict).toBe("linked")
  })

  it("is not told where the pull request's own texts never came", async () => {
    const seen = pullRequest({ number: 7, title: "T", body: "", branch: "b", author: "dev", openedAt: at(0) })
    const remark = { id: 70, text: "See ENG-1", createdAt: at(4) }
    await tell(pullRequestComment(seen, "created", remark, at(4)))
    expect(await advice(pr(7), issue(1))).toBe("")
  })
})
