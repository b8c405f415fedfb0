import { z } from "zod"
import type { RouteDescription } from "../../core/route-description.ts"
import { gapStates } from "../../store/ledger.ts"
import { receiptOutcomes } from "../../store/list-receipts.ts"
import { demandQuery, gapQuery, listQuery, type ShownGap, type ShownLedger } from "../completeness.ts"
import {
  edit,
  newSource,
  page,
  receiptPage,
  rotation,
  type ShownReceipt,
  type ShownSecret,
  type ShownSource,
} from "../sources.ts"
import { count, numberOrNull, pageOf, textOrNull, time, timeOrNull, type AsJson } from "./shapes.ts"

const group = "Sources"

const secret = z.object({
  id: z.string(),
  purpose: z.enum(["signing", "credential"]),
  createdAt: timeOrNull,
  expiresAt: timeOrNull,
  matchedAt: timeOrNull.describe("When it last verified a request, to the minute."),
}) satisfies z.ZodType<AsJson<ShownSecret>>

const sourceShape = z.object({
  id: z.string(),
  tenant: z.string(),
  platform: z.string(),
  name: z.string(),
  sender: textOrNull.describe("Which of the platform's kinds of sender it is."),
  settings: z.record(z.string(), z.json()),
  enabled: z.boolean(),
  off: textOrNull.describe("Why it takes no webhooks; null while it does."),
  path: z.string().describe("Path of its webhooks."),
  createdAt: time,
  updatedAt: time,
  secrets: z.array(secret),
  credential: secret.nullable(),
})

const source = sourceShape.meta({
  id: "Source",
  description: "One configured sender of a platform; secrets are shown without their values.",
})
sourceShape satisfies z.ZodType<Omit<AsJson<ShownSource>, "settings">>

const issued = sourceShape.extend({
  secret: z.string().exactOptional().describe("One that was generated. It is shown here and nowhere again."),
  advice: z.string().exactOptional().describe("What is yet to be done, in a sentence."),
})

const receipt = z.object({
  id: z.string(),
  outcome: z.enum(receiptOutcomes),
  code: textOrNull,
  reason: textOrNull,
  deliveryId: textOrNull,
  eventId: textOrNull,
  secretId: textOrNull,
  headers: z.record(z.string(), z.string()),
  bodyBytes: numberOrNull,
  requests: count.describe("How many alike it stands for."),
  receivedAt: time,
}) satisfies z.ZodType<AsJson<ShownReceipt>>

const ledgerShape = z.object({
  tenant: z.string(),
  platform: z.string(),
  source: z.string(),
  summary: z.string().describe("One line for people."),
  completeFrom: timeOrNull,
  completeThrough: timeOrNull.describe("Nothing that happened before then is missing."),
  checkedAt: timeOrNull,
  ranAt: timeOrNull,
  nextAt: timeOrNull,
  problem: textOrNull,
  progress: textOrNull,
  wanted: z.boolean(),
  running: z.boolean(),
  calls: count,
  repaired: count,
  open: count,
  lost: count,
  askable: z.boolean().describe("Whether its provider's record can be asked."),
}) satisfies z.ZodType<AsJson<ShownLedger>>

const gap = z.object({
  id: z.string(),
  kind: z.enum(["delivery", "record", "outage"]),
  key: z.string(),
  reason: z.string(),
  startedAt: time,
  endedAt: timeOrNull,
  requests: count,
  state: z.enum(gapStates),
  note: textOrNull,
  attempts: count,
  settledAt: timeOrNull,
  eventId: textOrNull,
}) satisfies z.ZodType<AsJson<ShownGap>>

const words = {
  platform: "`github`, `linear`, `slack`, `deployment`, `custom` or `postgres`.",
  name: "Name of the source.",
  tenant: "Whose source it is: your own, unless you have SIGNALBOX_ADMIN_KEY.",
  sender: "Which of the platform's kinds of sender it is.",
  settings: "Settings of its platform.",
  secret: "Verifies its webhooks; generated without it where the sender lets us choose, null for none yet.",
  credential: "A token for calls to the platform's API; null takes it away.",
  enabled: "Whether it takes webhooks.",
}

const one = { group, scope: "admin", words, problems: [404] } as const
const path = "/api/v1/sources/{platform}/{name}"

/** `/api/v1/sources` and `/api/v1/completeness`. */
export const sourceRouteDescriptions: RouteDescription[] = [
  {
    method: "get",
    path: "/api/v1/sources",
    group,
    summary: "List sources",
    scope: "admin",
    query: page,
    answers: { 200: { words: "A page of sources.", schema: pageOf("sources", source) } },
  },
  {
    method: "post",
    path: "/api/v1/sources",
    group,
    summary: "Make a source",
    scope: "admin",
    body: { schema: newSource },
    words,
    answers: { 201: { words: "The source, and its secret where one was generated.", schema: issued } },
    problems: [409],
  },
  {
    ...one,
    method: "get",
    path,
    summary: "One source",
    answers: { 200: { words: "The source.", schema: source } },
  },
  {
    ...one,
    method: "patch",
    path,
    summary: "Change a source",
    details:
      "What is left out stays as it is; `settings` are put over those it has, and a null takes one away.",
    body: { schema: edit },
    answers: { 200: { words: "The source as it is now.", schema: source } },
  },
  {
    ...one,
    method: "post",
    path: `${path}/rotate`,
    summary: "Give a source another signing secret",
    body: { schema: rotation, optional: true },
    words: { ...words, overlapSeconds: "For so long the secrets before it stay in force." },
    answers: { 200: { words: "The source, and its secret where one was generated.", schema: issued } },
  },
  {
    ...one,
    method: "get",
    path: `${path}/secrets`,
    summary: "The secrets of a source, without their values",
    answers: { 200: { words: "The newest first.", schema: pageOf("secrets", secret) } },
  },
  {
    ...one,
    method: "get",
    path: `${path}/receipts`,
    summary: "What came to a source of late, and what became of it",
    query: receiptPage,
    words: { ...words, outcome: "Only those of which this became." },
    answers: { 200: { words: "A page of receipts.", schema: pageOf("receipts", receipt) } },
  },
  {
    ...one,
    method: "get",
    path: `${path}/completeness`,
    summary: "How complete a source is known to be, with its gaps",
    query: gapQuery,
    words: { ...words, state: "Only gaps that are so." },
    answers: {
      200: {
        words: "Its ledger, and a page of its gaps, newest first.",
        schema: ledgerShape.extend({ gaps: z.array(gap), nextCursor: textOrNull }),
      },
    },
  },
  {
    ...one,
    method: "post",
    path: `${path}/reconcile`,
    summary: "Have a source checked now against its provider's record",
    query: demandQuery,
    words: { ...words, since: "How far to look back (RFC 3339)." },
    answers: {
      202: {
        words: "It will be.",
        schema: z.object({ platform: z.string(), source: z.string(), wanted: z.literal(true) }),
      },
    },
    problems: [404, 409],
  },
  {
    method: "get",
    path: "/api/v1/completeness",
    group,
    summary: "How complete each source is known to be",
    scope: "events:read",
    query: listQuery,
    answers: {
      200: {
        words: "A page of ledgers.",
        schema: pageOf(
          "sources",
          ledgerShape.meta({ id: "Ledger", description: "How complete a source is known to be." }),
        ),
      },
    },
  },
]
