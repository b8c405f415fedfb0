import type { Chance } from "./chance.ts"
import type { Cluster } from "./cluster.ts"
import { cutKinds, planFault, type Fault, type FaultKind } from "./faults.ts"
import { startFaultyProxy, type FaultyProxy } from "./faulty-proxy.ts"
import { flowTypes } from "./flow.ts"
import { observeByClient } from "./observers/by-client.ts"
import { observeByEventSource } from "./observers/by-event-source.ts"
import { observeByGroup } from "./observers/by-group.ts"
import { observeByHistory } from "./observers/by-history.ts"
import { observeBySse } from "./observers/by-sse.ts"
import { observeByWebhook } from "./observers/by-webhook.ts"
import { observeByWebsocket } from "./observers/by-websocket.ts"
import type { Observed, Observer } from "./observers/observer.ts"
import type { Promised } from "./verdict.ts"

/** A consumer, the proxy that it is behind, and what it was promised. */
export interface Member {
  observer: Observer
  proxy: FaultyProxy
  promised: Promised
  /** Whether it comes back by the doing of a client that users have, and not of this test's. */
  isClient: boolean
  /** Whether it is kept away while retention passes. */
  sleeps: boolean
}

/** Every kind of consumer, each behind a proxy of its own. */
export interface Fleet extends AsyncDisposable {
  members: readonly Member[]
  /** Cuts that have come to pass. */
  cuts(): number
  /** Lets everything through from here on, or no more. */
  setCalm(isCalm: boolean): void
}

export interface FleetOptions {
  cluster: Cluster
  key: string
  chance: Chance
}

type Observe = (observed: Observed) => Observer

const all: readonly FaultKind[] = [...cutKinds, "stalled"]
/** For clients that wait for ever on a connection that is half open, as an EventSource does. */
const toldOnly = all.filter((kind) => kind !== "swallowed")
const [, oddType] = flowTypes

const bySse =
  (coding: "identity" | "gzip" | "br"): Observe =>
  (to) =>
    observeBySse(to, coding)
const byWebsocket =
  (deflate: boolean): Observe =>
  (to) =>
    observeByWebsocket(to, deflate)
const byClient =
  (transport: "sse" | "websocket"): Observe =>
  (to) =>
    observeByClient(to, transport)
const byEventSource: Observe = (to) => observeByEventSource(to, flowTypes)

/** Starts the consumers. */
export async function startFleet({ cluster, key, chance }: FleetOptions): Promise<Fleet> {
  await using stack = new AsyncDisposableStack()
  const members: Member[] = []
  let calm = false

  /** Faults for most connections, half of those of webhooks: a receiver that only fails is spared for a while. */
  function planner(kinds: readonly FaultKind[], mostBytes: number, share: number): () => Fault | undefined {
    const own = chance.fork()
    return () => (calm || own.next() >= share ? undefined : planFault(own, kinds, mostBytes))
  }

  async function add(
    name: string,
    observe: Observe,
    options: Partial<Pick<Member, "isClient" | "sleeps">> & {
      types?: string
      order?: Promised["order"]
      target?: () => string | undefined
      kinds?: readonly FaultKind[]
    } = {},
  ): Promise<void> {
    const {
      types,
      target = cluster.streamNode,
      kinds = all,
      order = "log",
      isClient = false,
      sleeps = false,
    } = options
    const proxy = stack.use(await startFaultyProxy({ target, plan: planner(kinds, 30_000, 0.95) }))
    const observer = stack.use(observe({ name, url: proxy.url, key, types }))
    members.push({ observer, proxy, promised: { types, order }, isClient, sleeps })
  }

  async function make(what: string, body: object): Promise<void> {
    const response = await fetch(`${cluster.api}/api/v1/${what}`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    })
    if (!response.ok) throw new Error(`${what} was answered ${response.status}: ${await response.text()}`)
  }

  async function addWebhook(): Promise<void> {
    const observer = stack.use(await observeByWebhook("webhook, ordered"))
    const proxy = stack.use(
      await startFaultyProxy({ target: () => observer.url, plan: planner(all, 3_000, 0.5) }),
    )
    await make("subscriptions", {
      name: "cuts-webhook",
      url: proxy.url,
      from: "earliest",
      ordered: true,
      partitions: 4,
      timeoutMs: 3_000,
      retry: { schedule: [0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2] },
    })
    members.push({ observer, proxy, promised: { order: "entity" }, isClient: false, sleeps: false })
  }

  const history = { target: () => cluster.api }
  await add("sse", bySse("identity"))
  await add("sse, gzip", bySse("gzip"))
  await add("sse, brotli", bySse("br"))
  await add("sse, filtered", bySse("identity"), { types: oddType })
  await add("websocket", byWebsocket(false))
  await add("websocket, deflated", byWebsocket(true))
  await add("websocket, filtered", byWebsocket(true), { types: oddType })
  await add("client by sse", byClient("sse"), { isClient: true })
  await add("client by sse, filtered", byClient("sse"), { isClient: true, types: oddType })
  await add("client by websocket", byClient("websocket"), { isClient: true })
  await add("EventSource", byEventSource, { isClient: true, kinds: toldOnly })
  await add("history", observeByHistory, history)
  await add("history, filtered", observeByHistory, { ...history, types: oddType })
  await add("sse, away", bySse("gzip"), { sleeps: true })
  await add("websocket, away", byWebsocket(true), { sleeps: true })
  await add("client by sse, away", byClient("sse"), { isClient: true, sleeps: true })
  await add("client by websocket, away", byClient("websocket"), { isClient: true, sleeps: true })
  await add("EventSource, away", byEventSource, { isClient: true, sleeps: true, kinds: toldOnly })
  await add("history, away", observeByHistory, { ...history, sleeps: true })
  await make("consumer-groups", { name: "cuts-group", start: "earliest", partitions: 6, sessionSeconds: 3 })
  await add("group of three", (to) => observeByGroup(to, "cuts-group", 3), {
    isClient: true,
    order: "entity",
  })
  await addWebhook()

  const held = stack.move()
  return {
    members,
    cuts: () =>
      members.reduce((sum, { proxy }) => sum + cutKinds.reduce((of, kind) => of + proxy.faults[kind], 0), 0),
    setCalm: (isCalm) => {
      calm = isCalm
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  }
}
