import { z } from "zod"
import { platformNames, priorities, type Evidence, type Reference } from "../../core/envelope.ts"
import type { EventHead } from "../../core/render.ts"
import { count, textOrNull, time, timeOrNull } from "./shapes.ts"

export const evidence = z
  .object({
    field: z.string().describe("Field of the event: `title`, `branch`, `body`."),
    text: z.string().describe("The mention as it is written there."),
    start: z.int().exactOptional().describe("Where `text` begins in the field, in UTF-16 units."),
    end: z.int().exactOptional(),
  })
  .meta({
    id: "Evidence",
    description: "Where a mention was found, and the words that show it.",
  }) satisfies z.ZodType<Evidence>

export const reference = z
  .object({
    entity: z.string().describe("Canonical key of what is mentioned."),
    relation: z.string().describe("`mentions`, `closes`, `head`, `merged_as`, …"),
    evidence,
    subject: z
      .string()
      .exactOptional()
      .describe("What refers to it, where that is not the event's own entity."),
    document: z
      .string()
      .exactOptional()
      .describe("Whose field the evidence is, where that is not what refers."),
    stated: z
      .object({
        relation: z.string(),
        strength: z.enum(["strong", "weak"]),
        isReversed: z.boolean().exactOptional(),
      })
      .exactOptional()
      .describe("The link that the sender says outright it is."),
  })
  .meta({
    id: "Reference",
    description: "A mention of an entity found in an event.",
  }) satisfies z.ZodType<Reference>

const head = {
  id: z.uuid().describe("UUIDv7, made when it came."),
  position: count
    .nullable()
    .describe("Its place in the log, the cursor of every consumer; null until it is processed."),
  tenant: z.string(),
  platform: z.enum(platformNames),
  source: z.string().describe("Name of the source that it came from."),
  type: z.string().describe("`platform.noun.verb`: `github.pull_request.opened`."),
  name: z.string().describe("The sender's own name for it: `pull_request:opened`."),
  deliveryId: z.string(),
  actor: z.object({ id: z.string(), name: z.string(), bot: z.boolean() }).nullable(),
  entity: textOrNull.describe("Canonical key of what it is about."),
  references: z.array(reference),
  title: textOrNull,
  url: textOrNull,
  priority: z.enum(priorities),
  occurredAt: timeOrNull.describe("By the sender's clock."),
  receivedAt: time.describe("By the hub's clock."),
  correlationId: z.string(),
  causationId: textOrNull,
  backfilled: z.boolean().describe("Fetched from the provider's own record, and not sent by it."),
}

export const eventWithoutPayload = z.object(head) satisfies z.ZodType<EventHead>

export const event = z
  .object({
    ...head,
    payload: z.unknown().describe("The body as its sender wrote it, what looks like a secret masked."),
  })
  .meta({ id: "Event", description: "One thing that happened, in the unified envelope." })
