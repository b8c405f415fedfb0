import { once } from "node:events"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { afterAll } from "vitest"
import type { WireFinding } from "./world-platform.ts"

/** Something that happened, for which the provider sent a webhook or tried to. */
export interface WorldDelivery {
  key: string
  at: Date
  entity: string
  name: string
  state?: string
  /** What the provider's log says of each of its attempts. */
  attempts: string[]
  /** What comes of asking for it again: it comes at the n-th time of asking, or asking is refused. */
  again: number | "never" | "refused" | "forbidden"
  copy: "there" | "gone" | "unreadable"
}

/** Something of which the provider's API tells, whether or not a webhook went with it. */
export interface WorldRecord {
  key: string
  at: Date
  entity: string
  name: string
  state?: string
  /** By what it is known. */
  known: "state" | "happening" | "identity"
  /** Whether its body takes a call of its own, and whether there is one at all. */
  body: "with it" | "by a call" | "gone" | "unreadable"
}

/** What the world does instead of answering. */
export type Interference = { status: number; retryAfter?: number } | "hang"

export interface World {
  url: string
  deliveries: Map<string, WorldDelivery>
  records: Map<string, WorldRecord>
  /** Every request, as `METHOD /path`. */
  calls: string[]
  pageSize: number
  /** Asked at each request. */
  interfere: (call: string) => Interference | undefined
  /** Sends the webhook of a delivery, or of a record under a key of its own. */
  send(thing: WorldDelivery | WorldRecord, key?: string): Promise<number>
  /** How often each delivery was asked for again. */
  asked: Map<string, number>
}

/** Starts a provider that remembers all it ever did; `hook` is where its webhooks go. */
export async function startWorld({ hook }: { hook: () => string }): Promise<World> {
  const world: World = {
    url: "",
    deliveries: new Map(),
    records: new Map(),
    calls: [],
    pageSize: 5,
    interfere: () => undefined,
    send: (thing, key = thing.key) => post(hook(), key, bodyOf(thing)),
    asked: new Map(),
  }
  const server = createServer((request, response) => void answer(world, request, response))
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  afterAll(() => {
    server.close()
    server.closeAllConnections()
  })
  world.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return world
}

async function post(url: string, key: string, body: string): Promise<number> {
  const headers = { "content-type": "application/json", "x-world-key": key }
  const response = await fetch(url, { method: "POST", headers, body })
  await response.arrayBuffer()
  return response.status
}

function bodyOf({ entity, name, at, state, ...thing }: WorldDelivery | WorldRecord): string {
  const refused = ("copy" in thing ? thing.copy : thing.body) === "unreadable"
  return JSON.stringify({ entity, name, at: at.toISOString(), state, ...(refused ? { refused } : {}) })
}

async function answer(world: World, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? "", "http://world")
  const call = `${request.method} ${pathname}`
  world.calls.push(call)
  const interference = world.interfere(call)
  if (interference === "hang") return
  if (interference !== undefined) {
    const { status, retryAfter } = interference
    if (retryAfter !== undefined) response.setHeader("retry-after", retryAfter)
    response.writeHead(status).end()
    return
  }
  const [, kind = "", id = "", attempts] = pathname.split("/")
  const told =
    kind === "log" ? page(world, searchParams) : about(world, kind, decodeURIComponent(id), attempts)
  const { status, body } = await told
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body))
}

async function about(world: World, kind: string, id: string, attempts: string | undefined) {
  if (kind === "records") {
    const record = world.records.get(id)
    return { status: 200, body: { body: record && record.body !== "gone" ? bodyOf(record) : null } }
  }
  const delivery = world.deliveries.get(id)
  if (delivery === undefined) return { status: 404, body: {} }
  if (attempts === undefined) {
    return { status: 200, body: { body: delivery.copy === "gone" ? null : bodyOf(delivery) } }
  }
  if (delivery.again === "refused") return { status: 422, body: {} }
  if (delivery.again === "forbidden") return { status: 403, body: {} }
  const asked = (world.asked.get(id) ?? 0) + 1
  world.asked.set(id, asked)
  // It is there before the answer, so that no test hangs on how soon it comes.
  if (delivery.again !== "never" && asked >= delivery.again) await world.send(delivery).catch(() => {})
  return { status: 202, body: {} }
}

/** Deliveries first, newest first, each attempt an entry; then records, oldest first. */
async function page(world: World, query: URLSearchParams) {
  const [since, until] = [new Date(query.get("since") ?? ""), new Date(query.get("until") ?? "")]
  const within = ({ at }: { at: Date }): boolean => at >= since && at <= until
  const deliveries = [...world.deliveries.values()]
    .filter(within)
    .flatMap(({ key, at, attempts }) =>
      attempts.map((outcome, index): WireFinding & { sent: number } => ({
        kind: "delivery",
        key,
        at: at.toISOString(),
        outcome,
        handle: key,
        sent: at.getTime() + index * 61_000, // a repeat stands far from the first attempt
      })),
    )
    .toSorted((a, b) => b.sent - a.sent)
  const records = [...world.records.values()]
    .filter(within)
    .toSorted((a, b) => a.at.getTime() - b.at.getTime())
    .map((record): WireFinding => ({
      kind: "record",
      key: record.key,
      at: record.at.toISOString(),
      known: knownOf(record),
      ...(record.body === "with it" || record.body === "unreadable" ? { body: bodyOf(record) } : {}),
    }))
  const pages = [...chunks(deliveries, world.pageSize), ...chunks(records, world.pageSize)]
  const at = Number(query.get("at"))
  return { status: 200, body: { findings: pages[at] ?? [], next: at < pages.length ? String(at + 1) : null } }
}

function knownOf({
  known,
  state = "",
  entity,
  name,
  at,
}: WorldRecord): NonNullable<WireFinding["known"]> | null {
  if (known === "identity") return null
  return known === "state" ? { state } : { entity, name, since: at.toISOString() }
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  )
}
