import type { SubjectReference } from "../rule.ts"

/**
 * How many issues a pull request may say to be about, by its title, closing words and addresses, and still be
 * one piece of work. Each of them is within its own bound where a release is cut into fields.
 */
export const claimedIssues = {
  upTo: 8,
  of: ({ relation, evidence: { field, text } }: SubjectReference): boolean =>
    relation === "closes" ||
    (relation === "mentions" && (field === "title" || (field === "body" && /^https?:/i.test(text)))),
}
