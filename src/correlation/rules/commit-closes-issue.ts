import { referenceRule } from "../reference-rule.ts"
import { isRevert } from "../revert.ts"
import type { RuleInput, SubjectReference } from "../rule.ts"

/** A commit implements what its message closes by a magic word, unless it reverts the commit that did. */
export const commitClosesIssue = referenceRule({
  name: "commit_closes_issue",
  version: 1,
  when: {
    relation: ["closes"],
    subject: ["github:commit"],
    entity: ["linear:issue", "github:issue"],
    also: (reference, input) => !isRevert(messageOf(reference, input)),
  },
  link: { relation: "implements", strength: "strong", confidence: 0.9, strongUpTo: 5 },
})

function messageOf({ subject, evidence }: SubjectReference, { normalized }: RuleInput): string {
  const text = normalized.texts.find(
    (field) => field.field === evidence.field && (field.subject ?? normalized.entity) === subject,
  )
  return text?.text ?? ""
}
