import { describe, expect, it } from "vitest"
import type { Reference } from "../../src/core/envelope.ts"
import type { Normalized, TextField } from "../../src/core/platform.ts"
import { correlate, shortLinks } from "./support.ts"

const pr = "github:pull_request:acme/api#42"
const otherPr = "github:pull_request:acme/api#43"
const issue = "linear:issue:ENG-123"
const issueId = "linear:issue_id:5b8e1c1e-0000-4000-8000-000000000123"
const sha = "a".repeat(40)
const otherSha = "b".repeat(40)
const commit = `github:commit:${sha}`
const message = "slack:message:T1/C1/1700000000.000100"
const thread = "slack:thread:T1/C1/1700000000.000100"
const deployment = "deployment:fly/1"
const issueUrl = "https://linear.app/acme/issue/ENG-123/add-limits"
const prUrl = "https://github.com/acme/api/pull/42"

const text = (
  field: string,
  given: string,
  format: TextField["format"] = "plain",
  subject?: string,
): TextField =>
  subject === undefined ? { field, format, text: given } : { field, format, text: given, subject }

const reference = (entity: string, relation: string, subject?: string): Reference => ({
  entity,
  relation,
  evidence: { field: relation, text: entity },
  ...(subject === undefined ? {} : { subject }),
})

const links = (given: Partial<Normalized>, event = {}): string[] => shortLinks(correlate(given, event))

const opened = (texts: TextField[], title: string | null = null, type = "github.pull_request.opened") =>
  links({ type, entity: pr, title, texts })
const attach = (url: string, entity = issue) =>
  links({ type: "linear.attachment.create", entity, texts: [text("attachment", url, "url")] })
const push = (written: string) =>
  links({
    type: "github.push.pushed",
    entity: commit,
    texts: [text("commit", written, "plain", commit)],
  })
const say = (said: string) =>
  links({ type: "slack.message.posted", entity: message, texts: [text("message", said, "slack")] })

const pullRequestUrls = (count: number) =>
  Array.from({ length: count }, (_, n) => `<https://github.com/acme/api/pull/${n + 1}>`).join("\n")

describe("a pull request implements an issue", () => {
  it("that its title names", () => {
    expect(opened([text("title", "ENG-123 Add limits")])).toEqual([
      `${pr} -implements-> ${issue} (strong, pull_request_title_names_issue)`,
    ])
    expect(opened([text("title", "feat: add limits (ENG-123)")])).toHaveLength(1)
    expect(opened([text("title", "Use UTF-8 and SHA-256")])).toEqual([])
  })

  it("that its branch names", () => {
    expect(opened([text("branch", "dev/eng-123-add-limits", "branch")])).toEqual([
      `${pr} -implements-> ${issue} (strong, pull_request_branch_names_issue)`,
    ])
    expect(opened([text("branch", "patch-1", "branch")])).toEqual([])
  })

  it("that its body closes", () => {
    expect(opened([text("body", "Closes ENG-123.", "markdown")])).toEqual([
      `${pr} -implements-> ${issue} (strong, pull_request_body_closes_issue)`,
    ])
    expect(opened([text("body", "Fixes #12", "markdown")])).toEqual([
      `${pr} -implements-> github:issue:acme/api#12 (strong, pull_request_body_closes_issue)`,
    ])
  })

  it("whose address stands in title or body", () => {
    expect(opened([text("body", `About ${issueUrl}`, "markdown")])).toEqual([
      `${pr} -implements-> ${issue} (strong, pull_request_links_issue)`,
    ])
    expect(opened([text("title", `Do ${issueUrl}`)])).toContain(
      `${pr} -implements-> ${issue} (strong, pull_request_links_issue)`,
    )
  })

  it("by each sign that shows it, and with its words", () => {
    const found = correlate({
      entity: pr,
      texts: [
        text("title", "ENG-123 Add limits"),
        text("branch", "eng-123-add-limits", "branch"),
        text("body", `Closes [ENG-123](${issueUrl})`, "markdown"),
      ],
    }).links
    expect(found.map(({ rule, evidence }) => [rule, evidence.field, evidence.text])).toEqual([
      ["pull_request_title_names_issue", "title", "ENG-123"],
      ["pull_request_branch_names_issue", "branch", "eng-123"],
      ["pull_request_body_closes_issue", "body", "ENG-123"],
    ])
  })

  it("not when its body merely mentions it", () => {
    expect(opened([text("body", "Like ENG-123 and acme/web#7", "markdown")])).toEqual([
      `${pr} -mentions-> github:issue:acme/web#7 (weak, mention)`,
      `${pr} -mentions-> ${issue} (weak, mention)`,
    ])
  })

  it("not by what somebody remarks on it", () => {
    for (const type of [
      "github.issue_comment.created",
      "github.pull_request_review.submitted",
      "github.pull_request_review_comment.created",
    ]) {
      expect(opened([text("comment", `Closes ${issueUrl}`, "markdown")], null, type)).toEqual([
        `${pr} -closes-> ${issue} (weak, mention)`,
      ])
    }
  })

  it("not when it reverts the one that did", () => {
    const title = 'Revert "ENG-123 Add limits (#42)"'
    expect(
      links({
        entity: "github:pull_request:acme/api#44",
        title,
        texts: [
          text("title", title),
          text("branch", "revert-42-eng-123-add-limits", "branch"),
          text("body", "Reverts acme/api#42\n\nCloses ENG-123", "markdown"),
        ],
      }),
    ).toEqual([
      `github:pull_request:acme/api#44 -closes-> ${issue} (weak, mention)`,
      `github:pull_request:acme/api#44 -mentions-> ${issue} (weak, mention)`,
      `github:pull_request:acme/api#44 -names-> ${issue} (weak, mention)`,
      `github:pull_request:acme/api#44 -reverts-> ${pr} (strong, reverts)`,
    ])
  })

  it("again when it reverts the revert", () => {
    const title = 'Revert "Revert "ENG-123 Add limits""'
    expect(opened([text("title", title)], title)).toEqual([
      `${pr} -implements-> ${issue} (strong, pull_request_title_names_issue)`,
    ])
    const again = 'Reapply "ENG-123 Add limits"'
    expect(opened([text("title", again)], again)).toHaveLength(1)
  })

  it("weakly where it lists more than five, as a release does", () => {
    const body = Array.from({ length: 60 }, (_, n) => `- Closes ENG-${n + 1}`).join("\n")
    const { links: found } = correlate({ entity: pr, texts: [text("body", body, "markdown")] })
    expect(found).toHaveLength(60)
    expect(new Set(found.map(({ strength }) => strength))).toEqual(new Set(["weak"]))
    const five = body.split("\n").slice(0, 5).join("\n")
    expect(
      correlate({ entity: pr, texts: [text("body", five, "markdown")] }).links.map((l) => l.strength),
    ).toEqual(Array(5).fill("strong"))
  })
})

describe("what is attached to a Linear issue", () => {
  it("implements it, if it is a pull request", () => {
    expect(attach(prUrl)).toEqual([`${pr} -implements-> ${issue} (strong, issue_attaches_pull_request)`])
    expect(attach(prUrl, issueId)).toEqual([
      `${pr} -implements-> ${issueId} (strong, issue_attaches_pull_request)`,
    ])
  })

  it("belongs to it, if it is a GitHub issue", () => {
    expect(attach("https://github.com/acme/api/issues/12")).toEqual([
      `github:issue:acme/api#12 -attached-> ${issue} (strong, issue_attaches_github_issue)`,
    ])
  })

  it("discusses it, if it is a message", () => {
    expect(
      links({
        type: "linear.attachment.create",
        entity: issue,
        references: [reference(message, "attached")],
      }),
    ).toEqual([`${message} -discusses-> ${issue} (strong, issue_attaches_message)`])
  })

  it("is only shown, if it is anything else", () => {
    expect(attach("https://github.com/acme/api/discussions/3")).toEqual([
      `${issue} -attached-> github:discussion:acme/api#3 (weak, mention)`,
    ])
    expect(attach("https://example.org/")).toEqual([])
  })

  it("is not what an issue's text links to", () => {
    expect(
      links({ type: "linear.issue.create", entity: issue, texts: [text("body", prUrl, "markdown")] }),
    ).toEqual([`${issue} -mentions-> ${pr} (weak, mention)`])
  })
})

describe("branches", () => {
  it("name their issue", () => {
    const branch = "github:branch:acme/api@eng-123-add-limits"
    expect(
      links({
        type: "github.create.created",
        entity: branch,
        texts: [text("branch", "eng-123-add-limits", "branch")],
      }),
    ).toEqual([`${branch} -names-> ${issue} (strong, branch_names_issue)`])
  })

  it.each([
    "eng-123-add-limits",
    "feature/limits",
    "fix/patch-the-roof",
    "developers-page",
    "mainframe",
    "hotfix/limits",
    "2024-roadmap",
  ])("%s has the commits and the pull request from it", (name) => {
    const branch = `github:branch:acme/api@${name}`
    expect(links({ entity: pr, references: [reference(branch, "head_branch")] })).toEqual([
      `${pr} -head_branch-> ${branch} (strong, pull_request_head_branch)`,
    ])
    expect(
      links({ type: "github.push.pushed", entity: commit, references: [reference(branch, "on_branch")] }),
    ).toEqual([`${commit} -on_branch-> ${branch} (strong, commit_on_branch)`])
  })

  it.each([
    "main",
    "Master",
    "develop",
    "staging",
    "release/2.4",
    "release-2",
    "v2",
    "1.x",
    "16-stable",
    "patch-1",
    "dev-patch-12",
    "changeset-release/main",
    "release-please--branches--main",
    "renovate/vite-7.x",
    "deploy/prod",
  ])("%s, through which much work passes, joins nothing", (name) => {
    const branch = `github:branch:acme/api@${name}`
    expect(links({ entity: pr, references: [reference(branch, "head_branch")] })).toEqual([
      `${pr} -head_branch-> ${branch} (weak, pull_request_head_branch)`,
    ])
    expect(
      links({ type: "github.push.pushed", entity: commit, references: [reference(branch, "on_branch")] }),
    ).toEqual([`${commit} -on_branch-> ${branch} (weak, commit_on_branch)`])
  })

  it("that are shared do not name an issue strongly", () => {
    const branch = "github:branch:acme/api@release/ENG-123"
    expect(
      links({
        type: "github.create.created",
        entity: branch,
        texts: [text("branch", "release/ENG-123", "branch")],
      }),
    ).toEqual([`${branch} -names-> ${issue} (weak, branch_names_issue)`])
  })
})

describe("commits", () => {
  it("are in the pull request that they head or were merged as", () => {
    expect(
      links({
        entity: pr,
        references: [reference(commit, "head"), reference(`github:commit:${otherSha}`, "merged_as")],
      }),
    ).toEqual([
      `${pr} -contains-> ${commit} (strong, pull_request_contains_commit)`,
      `${pr} -contains-> github:commit:${otherSha} (strong, pull_request_contains_commit)`,
    ])
  })

  it("are the pull request that they squash or merge", () => {
    const merge = (subject: string) =>
      links({
        type: "github.push.pushed",
        entity: commit,
        texts: [{ ...text("commit", subject, "plain", commit), scope: "github:repository:acme/api" }],
      })
    expect(merge("Add limits (#42)\n\nmore")).toEqual([
      `${commit} -merge_of-> ${pr} (strong, commit_merges_pull_request)`,
    ])
    expect(merge("Merge pull request #42 from dev/limits")).toEqual([
      `${commit} -merge_of-> ${pr} (strong, commit_merges_pull_request)`,
    ])
    expect(merge("Follow up on (#42) again")).toEqual([
      `${commit} -mentions-> github:issue:acme/api#42 (weak, mention)`,
    ])
  })

  it("implement what they close, and only mention the rest", () => {
    expect(push("Add limits\n\nFixes ENG-123, see ENG-9")).toEqual([
      `${commit} -implements-> ${issue} (strong, commit_closes_issue)`,
      `${commit} -mentions-> linear:issue:ENG-9 (weak, mention)`,
    ])
    expect(push("ENG-123 Add limits")).toEqual([`${commit} -mentions-> ${issue} (weak, mention)`])
  })

  it("do not when they revert the one that did", () => {
    expect(push(`Revert "Add limits, fixes ENG-123"\n\nThis reverts commit ${otherSha}.`)).toEqual([
      `${commit} -closes-> ${issue} (weak, mention)`,
      `${commit} -reverts-> github:commit:${otherSha} (strong, reverts)`,
    ])
  })

  it("come with the head of their push, which a deployment then deploys with them", () => {
    const head = `github:commit:${otherSha}`
    expect(
      links({
        type: "github.push.pushed",
        entity: head,
        references: [reference(head, "pushed_with", commit)],
      }),
    ).toEqual([`${commit} -pushed_with-> ${head} (strong, commit_pushed_with)`])
  })

  it("speak each for itself", () => {
    const second = `github:commit:${otherSha}`
    expect(
      links({
        type: "github.push.pushed",
        entity: commit,
        texts: [
          text("commit", "Fixes ENG-1", "plain", second),
          text("commit", "Fixes ENG-2", "plain", commit),
        ],
      }),
    ).toEqual([
      `${commit} -implements-> linear:issue:ENG-2 (strong, commit_closes_issue)`,
      `${second} -implements-> linear:issue:ENG-1 (strong, commit_closes_issue)`,
    ])
  })
})

describe("checks", () => {
  it.each(["check_run", "check_suite", "workflow_run", "workflow_job", "status"])(
    "of kind %s check their commit and pull request",
    (kind) => {
      const check = `github:${kind}:acme/api/9`
      expect(
        links({
          type: `github.${kind}.completed`,
          entity: check,
          references: [reference(commit, "checks"), reference(pr, "checks")],
        }),
      ).toEqual([
        `${check} -checks-> ${commit} (strong, check_checks)`,
        `${check} -checks-> ${pr} (strong, check_checks)`,
      ])
    },
  )

  it("check nothing else", () => {
    expect(
      links({
        type: "github.check_run.created",
        entity: "github:check_run:acme/api/9",
        references: [reference(issue, "checks")],
      }),
    ).toEqual([`github:check_run:acme/api/9 -checks-> ${issue} (weak, mention)`])
  })
})

describe("a deployment", () => {
  it("deploys its commit and ships what its sender lists", () => {
    expect(
      links({
        type: "deployment.production.success",
        entity: deployment,
        references: [reference(commit, "deploys"), reference(pr, "ships"), reference(issue, "ships")],
      }),
    ).toEqual([
      `${deployment} -deploys-> ${commit} (strong, deployment_deploys_commit)`,
      `${deployment} -ships-> ${pr} (strong, deployment_ships)`,
      `${deployment} -ships-> ${issue} (strong, deployment_ships)`,
    ])
  })

  it("deploys nothing that is no commit", () => {
    expect(
      links({
        type: "deployment.production.success",
        entity: deployment,
        references: [reference("github:branch:acme/api@main", "deploys"), reference(commit, "ships")],
      }),
    ).toEqual([
      `${deployment} -deploys-> github:branch:acme/api@main (weak, mention)`,
      `${deployment} -ships-> ${commit} (weak, mention)`,
    ])
  })
})

describe("a Slack message", () => {
  it.each([
    [prUrl, pr],
    [issueUrl, issue],
    ["https://github.com/acme/api/issues/12", "github:issue:acme/api#12"],
    [`https://github.com/acme/api/commit/${sha}`, commit],
  ])("discusses %s", (url, entity) => {
    expect(say(`look at <${url}|this>`)).toEqual([
      `${message} -discusses-> ${entity} (strong, message_links_thing)`,
      `${thread} -discusses-> ${entity} (strong, thread_discusses_thing)`,
    ])
  })

  it("only mentions what it names in short", () => {
    expect(say("look at ENG-123 and acme/api#42")).toEqual([
      `${message} -mentions-> github:issue:acme/api#42 (weak, mention)`,
      `${message} -mentions-> ${issue} (weak, mention)`,
    ])
  })

  it("is only shown at each of many, as a digest is", () => {
    expect(say(pullRequestUrls(11)).every((link) => link.includes("(weak"))).toBe(true)
    expect(say(pullRequestUrls(10)).every((link) => link.includes("(strong"))).toBe(true)
  })

  it("belongs to its thread", () => {
    const reply = "slack:message:T1/C1/1700000001.000200"
    expect(
      links({ type: "slack.message.posted", entity: reply, references: [reference(message, "in_thread")] }),
    ).toEqual([`${reply} -in_thread-> ${message} (strong, reply_in_thread)`])
  })
})

describe("the rest", () => {
  it("joins two keys of one thing", () => {
    expect(
      links({ type: "linear.issue.update", entity: issue, references: [reference(issueId, "same_as")] }),
    ).toEqual([`${issue} -same_as-> ${issueId} (strong, same_as)`])
  })

  it("shows parents, without joining what has one parent", () => {
    expect(
      links({ type: "linear.issue.update", entity: issue, references: [reference(issueId, "parent")] }),
    ).toEqual([`${issue} -parent-> ${issueId} (weak, mention)`])
  })

  it("ties nothing to a repository", () => {
    expect(
      links({
        type: "github.push.pushed",
        entity: commit,
        references: [reference("github:repository:acme/api", "in")],
      }),
    ).toEqual([])
  })

  it("makes no link of an event about nothing", () => {
    expect(links({ entity: null, references: [reference(pr, "mentions")] })).toEqual([])
    expect(links({ entity: null, references: [reference(pr, "checks", otherPr)] })).toHaveLength(1)
  })

  it("passes over what is no key and no relation", () => {
    const { references } = correlate({
      entity: pr,
      references: [
        reference("no key", "mentions"),
        reference("linear:issue:" + "X".repeat(2000), "mentions"),
        reference(issue, "Mentions!"),
        reference(issue, "mentions", "no key"),
        reference("linear:issue:eng-7", "mentions"),
      ],
    })
    expect(references.map(({ entity }) => entity)).toEqual(["linear:issue:ENG-7"])
  })

  it("keeps evidence that the database takes", () => {
    const { references } = correlate({
      entity: pr,
      references: [{ entity: issue, relation: "mentions", evidence: { field: "a\0b", text: "x\ud800\0y" } }],
    })
    expect(references[0]?.evidence).toEqual({ field: "a\uFFFDb", text: "x\uFFFD\uFFFDy" })
  })
})
