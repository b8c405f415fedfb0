import { z } from "zod"
import { canonicalEntityKey } from "../../core/entity-key.ts"
import { platformNames, priorities } from "../../core/envelope.ts"
import { actor, instant, line, webUrl } from "../../core/submission.ts"
import { faultOfReferences } from "./check-members.ts"
import { foreignEnd } from "./relations.ts"

const maxType = 200
const typeForm = /^[a-z][a-z0-9_]*(?:\.[a-z0-9][a-z0-9_]*)+$/
const taken: readonly string[] = platformNames.filter((name) => name !== "custom")

const type = z
  .string("must be text")
  .max(maxType, `must be ${maxType} characters or fewer`)
  .regex(
    typeForm,
    "must be two or more segments of a to z, 0 to 9 and _, joined by dots: billing.invoice.paid",
  )
  .refine((text) => !taken.includes(text.split(".", 1)[0] ?? ""), {
    error: `must not begin with another platform's name (${taken.join(", ")})`,
  })

const key = z.string("must be text").transform((text, context) => {
  const canonical = canonicalEntityKey(text)
  if (canonical !== null) return canonical
  context.addIssue({
    code: "custom",
    message: "must be an entity's key, platform:kind:id, such as linear:issue:ENG-123 or billing:invoice:42",
  })
  return z.NEVER
})

const reference = z.object({
  entity: key,
  /** `relates` where absent. */
  relation: z
    .string("must be text")
    .regex(/^[a-z][a-z_]{0,62}$/, "must be lower-case words joined by _")
    .nullish(),
  /** What refers to it, where that is not the event's own entity. */
  subject: key.nullish(),
  /** Passed over: a reference of an event that the hub told has it, and may be handed on as it is. */
  evidence: z.unknown().optional(),
})

const maxReferences = 500

/** An event of the user's own, as any that was ever taken in. Unknown members pass. */
export const customSchema = z.looseObject(
  {
    type,
    payload: z.unknown().optional(),
    /** Key of what it is about, in any case: `billing:invoice:42`, `linear:issue:eng-123`. */
    entity: key.nullish(),
    title: line(1024).nullish(),
    url: webUrl.nullish(),
    actor: actor.nullish(),
    /** Time of arrival where absent. */
    occurredAt: instant.nullish(),
    priority: z.enum(priorities, `must be one of ${priorities.join(", ")}`).nullish(),
    correlationId: line(128).nullish(),
    causationId: line(128).nullish(),
    references: z
      .array(reference, "must be a list of {entity, relation}")
      .max(maxReferences, `must list ${maxReferences} or fewer`)
      .nullish(),
  },
  { error: "the body must be a JSON object" },
)

const membersOfReference = Object.keys(reference.shape)

/**
 * The same as it is taken in: no member of a reference is misspelt, and of another platform's things nobody says
 * that they are one with theirs.
 */
export const sentSchema = z
  .unknown()
  .superRefine((given, context) => {
    const fault = faultOfReferences(given, membersOfReference)
    if (fault !== null) context.addIssue({ code: "custom", ...fault })
  })
  .pipe(
    customSchema.superRefine(({ references, ...event }, context) => {
      for (const [index, { entity, relation, subject }] of (references ?? []).entries()) {
        const foreign = foreignEnd(relation ?? "", [subject ?? event.entity, entity])
        if (foreign === undefined) continue
        context.addIssue({
          code: "custom",
          path: ["references", index, "relation"],
          message: `same_as is for two keys of a thing of your own, and of ${foreign} another platform tells; say relates`,
        })
      }
    }),
  )

/** What a sender of custom events posts. */
export type CustomPayload = z.input<typeof customSchema>
/** The same, checked, its keys in the one form they are stored in. */
export type CustomEvent = z.output<typeof customSchema>
