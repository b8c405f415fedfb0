import type { TextField } from "../../core/platform.ts"
import { proseOrNull } from "../../core/text.ts"
import { branchKey, isTrunk, repositoryOf } from "./keys.ts"
import { at, text } from "./read.ts"
import { distinctCommits } from "./references.ts"

function textField(
  field: string,
  format: TextField["format"],
  found: string | null,
  subject: string | null = null,
): TextField[] {
  if (found === null) return []
  return [subject === null ? { field, format, text: found } : { field, format, text: found, subject }]
}

/** A title or another line of text. */
export function line(payload: unknown, path: string, field = "title"): TextField[] {
  return textField(field, "plain", text(payload, path))
}

/** A body in Markdown, and whether a program wrote it. */
export function markdown(payload: unknown, path: string, field = "body"): TextField[] {
  const author = `${path.slice(0, path.lastIndexOf("."))}.user`
  const bot = at(payload, `${author}.type`) === "Bot" || text(payload, `${author}.login`)?.endsWith("[bot]")
  const fields = textField(field, "markdown", proseOrNull(at(payload, path)))
  return bot === true ? fields.map((one) => ({ ...one, bot })) : fields
}

/** The name of a branch, unless the branch is one that everything ends up on. */
function branchName(
  payload: unknown,
  path: string,
  defaultBranch: unknown,
  subject: string | null = null,
): TextField[] {
  const name = text(payload, path)?.replace(/^refs\/heads\//, "") ?? null
  return name === null || isTrunk(name, defaultBranch) ? [] : textField("branch", "branch", name, subject)
}

/** Title, body and branch of a pull request. */
export function pullRequestTexts(payload: unknown): TextField[] {
  return [
    ...line(payload, "pull_request.title"),
    ...markdown(payload, "pull_request.body"),
    ...branchName(payload, "pull_request.head.ref", at(payload, "pull_request.head.repo.default_branch")),
  ]
}

/** Messages of the new commits of a push, each its commit's own; and the name of the branch, the branch's. */
export function pushTexts(payload: unknown): TextField[] {
  const messages = distinctCommits(payload).flatMap(({ key, commit }) =>
    textField("commit", "plain", proseOrNull(at(commit, "message")), key),
  )
  const ref = text(payload, "ref")
  if (ref === null || !ref.startsWith("refs/heads/")) return messages
  const branch = branchKey(repositoryOf(payload), ref.slice("refs/heads/".length))
  return [...messages, ...branchName(payload, "ref", at(payload, "repository.default_branch"), branch)]
}

/** The name of a branch that was made or deleted. */
export function refTexts(payload: unknown): TextField[] {
  if (at(payload, "ref_type") !== "branch") return []
  return branchName(payload, "ref", at(payload, "repository.default_branch"))
}

/** Description of a deployment and the branch it deploys; a full SHA or a tag names nothing. */
export function deploymentTexts(payload: unknown): TextField[] {
  const ref = text(payload, "deployment.ref")
  const isSha = ref !== null && /^[0-9a-f]{7,64}$/i.test(ref)
  return [
    ...line(payload, "deployment.description", "description"),
    ...line(payload, "deployment_status.description", "description"),
    ...(isSha ? [] : branchName(payload, "deployment.ref", at(payload, "repository.default_branch"))),
  ]
}
