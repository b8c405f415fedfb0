import { SignalboxError } from "../../../core/errors.ts"
import { isFields } from "../../../core/fields.ts"
import type { LoggedDelivery, Recovered, SweepWindow } from "../../../core/remote.ts"
import { keptHeaders } from "../headers.ts"
import { at, id, list, text, time } from "../read.ts"
import type { Client } from "./client.ts"
import type { Hook } from "./hooks.ts"
import { parseToPrint } from "./json.ts"
import { clockSlackMs, clockText, type Strand, type StrandPage } from "./strand.ts"

/** GitHub keeps its log of deliveries for so long, and sends nothing again after it. */
const keptMs = 3 * 24 * 60 * 60 * 1000

/** The log of a hook's deliveries, newest first, as far back as the window and GitHub's memory reach. */
export function deliveriesOf(client: Client, hook: Hook, window: SweepWindow, now: Date): Strand {
  const since = Math.max(window.since.getTime() - clockSlackMs, now.getTime() - keptMs)
  const until = window.until.getTime()
  return { key: `deliveries ${hook.path}`, pages }

  async function* pages(position: string | null): AsyncGenerator<StrandPage> {
    let path = position ?? `${hook.path}/deliveries?per_page=100`
    for (;;) {
      const { data, next } = await client.get(path, `the deliveries of ${hook.label}`)
      const entries = list({ data }, "data")
      const times = entries.map((entry) => time(entry, "delivered_at")?.getTime() ?? Infinity)
      const oldest = Math.min(...times)
      const findings = entries.flatMap((entry) => deliveryOf(hook, entry, since, until))
      const last = next === null || entries.length === 0 || oldest < since
      const reached = oldest === Infinity ? "" : `, back to ${clockText(new Date(Math.max(oldest, since)))}`
      yield { findings, position: last ? null : next, progress: `deliveries of ${hook.label}${reached}` }
      if (last) return
      path = next
    }
  }
}

function deliveryOf(hook: Hook, entry: unknown, since: number, until: number): LoggedDelivery[] {
  const deliveryId = id(entry, "id")
  const guid = id(entry, "guid")
  const when = time(entry, "delivered_at")
  if (deliveryId === null || guid === null || when === null) return []
  if (when.getTime() < since || when.getTime() > until) return []
  return [
    {
      kind: "delivery",
      key: guid.toLowerCase(),
      at: when,
      outcome: outcomeOf(entry),
      handle: JSON.stringify([hook.path, deliveryId]),
    },
  ]
}

// No connection at all is status_code 0, and `status` says what went wrong: `timed out`.
function outcomeOf(entry: unknown): string {
  const code = at(entry, "status_code")
  return typeof code === "number" && code > 0 ? String(code) : (text(entry, "status", 100) ?? "unknown")
}

/** Asks for a delivery to be sent again, under the same GUID. */
export async function redeliver(client: Client, handle: string): Promise<void> {
  // Sent twice, it comes twice, under one key.
  await client.send("POST", `${pathOf(handle)}/attempts`, "another attempt of a delivery", {
    repeatable: true,
  })
}

/**
 * A delivery as GitHub's log has it; null where the log no longer does. The log keeps what was sent as
 * JSON, so the bytes are printed anew: their signature would not match, and none is asked for.
 */
export async function copy(client: Client, handle: string): Promise<Recovered | null> {
  try {
    const { text: answer } = await client.get(pathOf(handle), "a delivery")
    const { request } = delivered(parseToPrint(answer))
    return request
  } catch (error) {
    if (error instanceof SignalboxError && error.code === "not_found") return null
    throw error
  }
}

function delivered(delivery: unknown): { request: Recovered | null } {
  const payload = at(delivery, "request.payload")
  const sent = at(delivery, "request.headers")
  if (!isFields(payload) || !isFields(sent)) return { request: null }
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(sent)) {
    const lower = name.toLowerCase()
    if (keptHeaders.includes(lower) && typeof value === "string") headers[lower] = value
  }
  const body = Buffer.from(JSON.stringify(payload))
  return { request: { headers, contentType: "application/json", body } }
}

const hookPaths = /^\/(?:repos\/[^/?#]+\/[^/?#]+\/hooks\/\d+|orgs\/[^/?#]+\/hooks\/\d+|app\/hook)$/

function pathOf(handle: string): string {
  const parsed: unknown = JSON.parse(handle)
  const [hook, delivery] = Array.isArray(parsed) ? parsed : []
  if (typeof hook !== "string" || !hookPaths.test(hook) || !/^\d{1,20}$/.test(String(delivery))) {
    throw new SignalboxError("internal", "the handle of a delivery is not one of GitHub's")
  }
  return `${hook}/deliveries/${String(delivery)}`
}
