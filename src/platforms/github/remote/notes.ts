import { SignalboxError } from "../../../core/errors.ts"
import type { Note } from "../../../core/remote.ts"
import { text } from "../read.ts"
import type { Client } from "./client.ts"

/** In a comment's source, and not on the page. */
const mark = "<!-- signalbox:note -->"
const maxPages = 20

/** Comments on a pull request or an issue, by its key `github:pull_request:acme/api#42`; answers the comment's address. */
export async function leaveNote(client: Client, place: string, note: Note): Promise<string> {
  const body = `[${note.text}](${note.url})\n\n${mark}\n`
  const { data } = await client.send("POST", commentsOf(place), subjectOf(place, "write"), { body: { body } })
  return text(data, "html_url") ?? ""
}

/** The address of the note that was left there since; null where there is none. */
export async function findNote(client: Client, place: string, since: Date): Promise<string | null> {
  let path: string | null = `${commentsOf(place)}?per_page=100&since=${since.toISOString()}`
  for (let pages = 0; pages < maxPages; pages++) {
    const { data, next } = await client.get(path, subjectOf(place, "read"))
    const found = (Array.isArray(data) ? data : []).find((comment) =>
      text(comment, "body", 262_144)?.includes(mark),
    )
    if (found !== undefined) return text(found, "html_url") ?? ""
    if (next === null) return null
    path = next
  }
  throw new SignalboxError(
    "bad_request",
    `${place} has too many comments to look for a note left before: ${maxPages} pages have none`,
  )
}

function commentsOf(place: string): string {
  const [, repository, number] =
    /^github:(?:pull_request|issue):([\w.-]+\/[\w.-]+)#(\d{1,15})$/.exec(place) ?? []
  if (repository === undefined || number === undefined) {
    throw new SignalboxError("bad_request", `${place} is no pull request or issue of GitHub's`)
  }
  return `/repos/${repository}/issues/${number}/comments`
}

function subjectOf(place: string, access: "read" | "write"): { what: string; needs?: string } {
  const what = `comments on ${place.replace(/^github:\w+:/, "")}`
  return access === "read"
    ? { what }
    : { what, needs: "the permission Issues: read and write, or Pull requests: read and write" }
}
