import { z } from "zod"
import type { Actor } from "./envelope.ts"
import { SignalboxError } from "./errors.ts"
import { cleanText } from "./text.ts"
import { timeOrNull } from "./time.ts"
import { webUrlOrNull } from "./web-url.ts"

/** Parts of the bodies that users write themselves, where Slack's or GitHub's have a form of their own. */

/** Text that is not blank, fit for the database, of `maxChars` at most. */
export function line(maxChars: number): z.ZodType<string, string> {
  return z
    .string("must be text")
    .max(maxChars, `must be ${maxChars} characters or fewer`)
    .transform((text) => cleanText(text.trim(), Infinity))
    .refine((text) => text !== "", "must not be empty")
    .refine((text) => !/\p{Cc}/u.test(text), "must hold no line break or control character")
}

/** An id: text, or a whole number. */
export function idLine(maxChars: number): z.ZodType<string, string | number> {
  return z.union([z.int().transform(String), line(maxChars)], {
    error: `must be text of 1 to ${maxChars} characters without line breaks, or a whole number`,
  })
}

/** An absolute http(s) URL. */
export const webUrl: z.ZodType<string, string> = z
  .string("must be text")
  .refine(
    (url) => webUrlOrNull(url) !== null,
    "must be an absolute http or https URL of 2,048 characters or fewer",
  )

/** An RFC 3339 time with its offset from UTC. */
export const instant: z.ZodType<Date, string> = z.string("must be text").transform((text, context) => {
  const time = timeOrNull(text)
  if (time !== null) return time
  context.addIssue({ code: "custom", message: "must be an RFC 3339 time such as 2026-11-21T12:00:00Z" })
  return z.NEVER
})

const actorFields = z.looseObject({
  id: idLine(128).nullish(),
  name: line(256).nullish(),
  bot: z.boolean().nullish(),
})

/** Who did it: a name, or an id or name with `bot` where it is one. */
export const actor: z.ZodType<Actor, string | z.input<typeof actorFields>> = z
  .union([line(128).transform((id) => ({ id, name: id, bot: false })), actorFields], {
    error: "must be a name, or {id, name, bot}",
  })
  .transform((given, context) => {
    const { id, name, bot } = given
    const known = id ?? name
    if (known !== undefined && known !== null) return { id: known, name: name ?? known, bot: bot === true }
    context.addIssue({ code: "custom", message: "must have an id or a name" })
    return z.NEVER
  })

const maxIssues = 5

/** The 400 for a body that does not fit: each of its first five faults by the field's name. */
export function refusal(what: string, error: z.ZodError): SignalboxError {
  const faults = error.issues.slice(0, maxIssues).map(({ path, message }) => {
    const field = path.map((part, index) =>
      typeof part === "number" ? `[${part}]` : `${index === 0 ? "" : "."}${String(part)}`,
    )
    return field.length === 0 ? message : `${field.join("")}: ${message}`
  })
  const more = error.issues.length > maxIssues ? `; and ${error.issues.length - maxIssues} more` : ""
  return new SignalboxError("bad_request", `${what}: ${faults.join("; ")}${more}`)
}
