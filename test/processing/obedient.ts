import type { Correlate } from "../../src/core/correlate.ts"
import type { Reference } from "../../src/core/envelope.ts"
import { fieldsOf } from "../../src/core/fields.ts"
import { definePlatform, type Platform } from "../../src/core/platform.ts"
import { uuidv7 } from "../../src/core/uuid.ts"

/**
 * A platform that does as its payload says: `throw` makes it throw, `kill` makes it end its process,
 * `blockMs` makes it hold up its thread, `number` goes into a bigint column whatever it is, `mentions` become references.
 */
export const obedient: Platform = definePlatform({
  name: "custom",
  secretVariable: null,
  acceptedStatus: 202,
  answerWithinMs: 10_000,
  contentTypes: [],
  keptHeaders: [],
  detail: { table: "github_events", columns: ["event_name", "number", "state"] },
  verify: () => ({ ok: true, secretId: "test" }),
  identify: () => ({ key: uuidv7(), name: "test", type: "test.thing.happened", priority: "normal" }),
  normalize({ payload, receivedAt }) {
    const { throw: message, kill, blockMs, number, title, mentions, state } = fieldsOf(payload)
    if (typeof message === "string") throw new Error(message)
    if (kill === true) process.kill(process.pid, "SIGKILL")
    if (typeof blockMs === "number") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, blockMs)
    return {
      type: "test.thing.happened",
      actor: { id: "7", name: "seven", bot: false },
      entity: typeof title === "string" ? `test:thing:${title}` : null,
      title: typeof title === "string" ? title : null,
      url: null,
      occurredAt: receivedAt,
      detail: { event_name: "test", number: number ?? null, state: state ?? null },
      references: Array.isArray(mentions) ? mentions.map(mention) : [],
      texts: [],
    }
  },
})

function mention(entity: unknown): Reference {
  return { entity: String(entity), relation: "mentions", evidence: { field: "body", text: String(entity) } }
}

/** Every reference becomes a strong link from the event's entity. */
export const linkAll: Correlate = (event, normalized) => ({
  references: normalized.references,
  links: normalized.references.map((reference) => ({
    from: event.entity ?? "",
    to: reference.entity,
    relation: "mentions",
    rule: "test",
    ruleVersion: 1,
    strength: "strong",
    confidence: 1,
    evidence: reference.evidence,
  })),
})
