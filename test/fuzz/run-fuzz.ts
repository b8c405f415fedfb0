import { createHash } from "node:crypto"
import { Agent, request as httpRequest } from "node:http"
import * as fc from "fast-check"
import type { Target } from "./corpus.ts"
import { plans, prepare, type Plan } from "./requests.ts"

export interface FuzzOptions {
  targets: readonly Target[]
  /** Where the hub listens. */
  url: string
  /** A key with every scope. */
  key: string
  requests: number
  seed: number
  /** Id of the event that holds a delivery key, of one whose answer names none; null where there is none. */
  findEvent(platform: string, source: string, key: string): Promise<string | null>
  /** Requests under way at the same time (24). */
  concurrency?: number
  progress?(done: number, report: FuzzReport): void
}

/** What came of a run. */
export interface FuzzReport {
  seed: number
  requests: number
  /** Answers by status. */
  statuses: Record<string, number>
  /** Events made, repeats, conflicts, and answers that are no events (handshakes). */
  stored: number
  duplicates: number
  conflicts: number
  answered: number
  /** Bodies read back through the API, and found the same to the byte. */
  readBack: number
  /** The first twenty of what must not be: each with its number, by which the seed brings it back. */
  faults: string[]
  faultCount: number
}

const batchSize = 500
const maxFaults = 20

/** Sends requests made of a seed, and reads back all that was taken. Memory does not grow but by a hash an event. */
export async function runFuzz(options: FuzzOptions): Promise<FuzzReport> {
  const { targets, requests, seed, concurrency = 24 } = options
  const agent = new Agent({ keepAlive: true, maxSockets: 2 * concurrency })
  const report: FuzzReport = {
    seed,
    requests: 0,
    statuses: {},
    stored: 0,
    duplicates: 0,
    conflicts: 0,
    answered: 0,
    readBack: 0,
    faults: [],
    faultCount: 0,
  }
  const hashes = new Map<string, string>()
  const arbitrary = plans(targets)
  for (let from = 0; from < requests; from += batchSize) {
    const count = Math.min(batchSize, requests - from)
    const batch = fc.sample(arbitrary, { numRuns: count, seed: seed + from })
    let next = 0
    const sender = async (): Promise<void> => {
      for (let index = next++; index < batch.length; index = next++) {
        const plan = batch[index]
        if (plan !== undefined) await one(plan, from + index)
      }
    }
    await Promise.all(Array.from({ length: concurrency }, sender))
    options.progress?.(from + count, report)
  }
  agent.destroy()
  return report

  async function one(plan: Plan, number: number): Promise<void> {
    report.requests++
    try {
      const { headers, sent } = prepare(plan, new Date())
      const all = plan.signing === "key" ? { ...headers, authorization: `Bearer ${options.key}` } : headers
      const answer = await send(agent, options.url, plan.method, plan.path, all, sent)
      report.statuses[answer.status] = (report.statuses[answer.status] ?? 0) + 1
      if (answer.status < 200 || answer.status >= 500 || (answer.status >= 300 && answer.status < 400)) {
        fault(number, plan, `status ${answer.status} ${answer.body.toString().slice(0, 300)}`)
      } else if (answer.status < 300 && plan.target !== null) {
        await readBack(plan, headers, answer.body.toString(), number)
      }
    } catch (error) {
      fault(number, plan, String(error))
    }
  }

  /** Every event that an answer tells of holds the bytes that were sent; of a conflict, those that came first. */
  async function readBack(plan: Plan, headers: Headers, text: string, number: number): Promise<void> {
    const told = receiptsIn(text)
    const parts = partsOf(plan, headers)
    if (told === null) {
      const key = keyOf(plan, headers)
      const platform = plan.target?.platform.name ?? ""
      const eventId = key === null ? null : await options.findEvent(platform, plan.target?.source ?? "", key)
      if (eventId === null) report.answered++
      else await compare({ eventId, duplicate: false, conflict: true }, plan.content, plan, number)
      return
    }
    if (told.length !== parts.length) fault(number, plan, `${parts.length} parts, ${told.length} receipts`)
    for (const [index, receipt] of told.entries()) {
      if (receipt.conflict) report.conflicts++
      else if (receipt.duplicate) report.duplicates++
      else report.stored++
      await compare(receipt, parts[index] ?? plan.content, plan, number)
    }
  }

  async function compare(receipt: Receipt, body: Buffer, plan: Plan, number: number): Promise<void> {
    const path = `/api/v1/events/${receipt.eventId}/raw`
    const raw = await send(
      agent,
      options.url,
      "GET",
      path,
      { authorization: `Bearer ${options.key}` },
      Buffer.alloc(0),
    )
    const hash = hashOf(raw.body)
    const known = hashes.get(receipt.eventId)
    if (known === undefined) hashes.set(receipt.eventId, hash)
    const same = receipt.conflict
      ? known === undefined || known === hash
      : hash === hashOf(body) && (known ?? hash) === hash
    if (raw.status === 200 && same) report.readBack++
    else
      fault(
        number,
        plan,
        `event ${receipt.eventId} was not read back: ${raw.status}, ${raw.body.length} of ${body.length} bytes`,
      )
  }

  function fault(number: number, plan: Plan, what: string): void {
    report.faultCount++
    if (report.faults.length >= maxFaults) return
    const { method, path, coding, signing, content } = plan
    const shown = content.toString("latin1").slice(0, 200)
    report.faults.push(
      `#${number} ${method} ${path.slice(0, 100)} ${coding ?? ""} ${signing}: ${what}; body ${shown}`,
    )
  }
}

type Headers = Record<string, string | readonly string[]>

interface Receipt {
  eventId: string
  duplicate: boolean
  conflict: boolean
}

function receiptsIn(text: string): Receipt[] | null {
  if (text === "") return null
  const parsed: unknown = JSON.parse(text)
  if (typeof parsed !== "object" || parsed === null) return null
  if ("events" in parsed && Array.isArray(parsed.events)) return parsed.events.map(receiptOf)
  return "eventId" in parsed ? [receiptOf(parsed)] : null
}

function receiptOf(value: object): Receipt {
  return { conflict: false, ...(value as Omit<Receipt, "conflict">) }
}

function messageOf(plan: Plan, headers: Headers) {
  const single = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      typeof value === "string" ? value : String(value[0]),
    ]),
  )
  const contentType = single["content-type"] ?? ""
  const payload: unknown = contentType.includes("form")
    ? Object.fromEntries(new URLSearchParams(plan.content.toString()))
    : JSON.parse(plan.content.toString())
  return { headers: single, contentType, payload, receivedAt: new Date(), sender: plan.target?.sender }
}

function partsOf(plan: Plan, headers: Headers): Buffer[] {
  const split = plan.target?.platform.split
  if (split === undefined || plan.signing === "key") return [plan.content]
  return split(messageOf(plan, headers), plan.content)?.map(({ body }) => body) ?? [plan.content]
}

function keyOf(plan: Plan, headers: Headers): string | null {
  try {
    const message = messageOf(plan, headers)
    const fields = message.payload
    const inner =
      typeof fields === "object" && fields !== null && "payload" in fields ? String(fields.payload) : null
    const whole = inner === null ? message : { ...message, payload: JSON.parse(inner) as unknown }
    return plan.target?.platform.identify(whole, plan.content).key ?? null
  } catch {
    return null
  }
}

function hashOf(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("base64")
}

/** One request; tried again once where a kept connection was closed before it. */
async function send(
  agent: Agent,
  url: string,
  method: string,
  path: string,
  headers: Headers,
  body: Buffer,
): Promise<{ status: number; body: Buffer }> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await exchange(agent, url, method, path, headers, body)
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined
      if (attempt === 3 || (code !== "ECONNRESET" && code !== "EPIPE")) throw error
    }
  }
}

function exchange(
  agent: Agent,
  url: string,
  method: string,
  path: string,
  headers: Headers,
  body: Buffer,
): Promise<{ status: number; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url)
    const outgoing: Record<string, string | string[]> = {}
    for (const [name, value] of Object.entries(headers))
      outgoing[name] = typeof value === "string" ? value : [...value]
    const request = httpRequest(
      { agent, hostname, port, method, path, headers: outgoing, timeout: 30_000 },
      (response) => {
        const chunks: Buffer[] = []
        response.on("data", (chunk: Buffer) => chunks.push(chunk))
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) }))
        response.on("error", reject)
      },
    )
    request.on("timeout", () => request.destroy(new Error("no answer in 30 s")))
    request.on("error", reject)
    request.end(body)
  })
}
