import { spawn } from "node:child_process"
import { once } from "node:events"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { fileURLToPath } from "node:url"
import { getResponse, type RequestHandler } from "msw"
import { setupServer } from "msw/node"
import { afterAll, onTestFinished } from "vitest"
import type { Clock } from "../../../src/core/clock.ts"
import { silentLog } from "../../../src/core/log.ts"
import type { Platform } from "../../../src/core/platform.ts"
import type { Source } from "../../../src/core/source.ts"
import type { ReconcileOptions } from "../../../src/reconcile/options.ts"
import { reconcileSource, type ReconcileOutcome } from "../../../src/reconcile/reconcile-source.ts"
import type { Database } from "../../../src/store/database.ts"
import { startIngest } from "../../ingest/support/start-ingest.ts"
import { testDatabase } from "../../support/database.ts"
import { loadSigner } from "../../support/fixtures.ts"
import type { ChildTask } from "./reconcile-child.ts"
import { goOn, untilComplete, type Passage } from "./until-complete.ts"

/** A provider's API as a test has it: handlers of msw. */
export interface SaasWorld {
  apiUrl: string
  calls: string[]
  /** Requests that it had asked not to make. */
  violations: string[]
  onCall: (count: number) => void
  handlers: RequestHandler[]
}

/** A webhook on its way to the hub. */
export interface Sending {
  headers: Readonly<Record<string, string>>
  body: string
}

/** What becomes of a webhook on its way: it arrives, or is lost in one of three ways. */
export type Fate = "arrives" | "hub down" | "hub failing" | "never sent"

export const losses: readonly Fate[] = ["hub down", "hub failing", "never sent"]

/** An event as it is here. */
export interface SaasEvent {
  key: string
  body: unknown
  backfilled: boolean
  headers: Record<string, string>
}

/** A hub with one source of a platform, and its provider around it. */
export interface SaasHub extends Passage {
  database: Database
  source: Source
  /** Sends a webhook; answers the hub's status, or 0 where it did not get there. */
  send(sending: Sending, fate?: Fate): Promise<number>
  /** Reconciles, letting time pass wherever the provider asks for it, until the source is complete. */
  reconcileToEnd(): Promise<ReconcileOutcome[]>
  /** One run in this process. */
  reconcile(signal?: AbortSignal): Promise<ReconcileOutcome>
  /**
   * One run in a process of its own, killed so many milliseconds after so many requests to the provider;
   * null where it was.
   */
  reconcileInChild(killAtCall: number | null, afterMs?: number): Promise<ReconcileOutcome | null>
  events(): Promise<SaasEvent[]>
  ledger(): Promise<{
    repaired: number
    open: number
    lost: number
    problem: string | null
    complete: boolean
  }>
}

const hasty: ReconcileOptions = { settleMs: 0, overlapMs: 60_000, leaseMs: 600 }

/** A hub, and the provider around it. */
export interface SaasScene<World extends SaasWorld = SaasWorld> {
  hub: SaasHub
  world: World
}

/** Starts both for one test, on a database of its own; they end after the file. */
export async function startSaasHub<World extends SaasWorld>(
  platform: Platform,
  credential: string,
  makeWorld: (clock: Clock) => World,
): Promise<SaasScene<World>> {
  let ahead = 0
  const clock = (): Date => new Date(Date.now() + ahead)
  const world = makeWorld(clock)
  const signer = await loadSigner(platform.name)
  if (signer === null) throw new Error(`${platform.name} signs nothing`)
  const [secret] = signer.secrets
  const database = await testDatabase()
  const { rows } = await database.work.query<{ id: string }>(
    `insert into sources (platform, name, created_at) values ($1, 'default', now() - interval '2 days')
     on conflict (platform, name) do update set created_at = excluded.created_at returning id`,
    [platform.name],
  )
  const source: Source = {
    id: rows[0]?.id ?? "",
    tenant: "default",
    platform: platform.name,
    name: "default",
    settings: {},
    secrets: [{ id: "one", value: secret }],
  }
  const sources = { find: () => source }
  const { url, ingest } = await startIngest({ database, platforms: [platform], secrets: {}, sources, clock })
  const server = setupServer(...world.handlers)
  server.listen({ onUnhandledFrame: "bypass" })
  onTestFinished(() => server.close()) // or it would answer for the world of the next test
  const failing = await serve(() => Promise.resolve(new Response(null, { status: 503 })))
  // The child is another process: it gets the same provider over real HTTP.
  const bridge = await serve(async (request) => {
    const asked = new Request(world.apiUrl + new URL(request.url).pathname.slice(1), {
      method: request.method,
      headers: request.headers,
      body: await request.text(),
    })
    return (await getResponse(world.handlers, asked)) ?? new Response(null, { status: 404 })
  })
  const parts = { pool: database.work, submit: ingest.submit, clock, log: silentLog, options: hasty }
  const target = { source, platform, credential, apiUrl: world.apiUrl }
  const pass = (ms: number): void => void (ahead += ms)
  const reconcile = (signal = new AbortController().signal): Promise<ReconcileOutcome> =>
    reconcileSource(parts, target, { signal })

  async function send({ headers, body }: Sending, fate: Fate = "arrives"): Promise<number> {
    if (fate === "never sent") return 0
    const hook = `/webhooks/${platform.name}`
    const to = { arrives: url + hook, "hub failing": failing, "hub down": "http://127.0.0.1:9/" }[fate]
    const signed = signer?.sign({ body: Buffer.from(body), headers, secret, now: clock() })
    const json = { "content-type": "application/json" }
    return fetch(to, { method: "POST", headers: { ...json, ...headers, ...signed }, body }).then(
      async (response) => {
        await response.arrayBuffer()
        return response.status
      },
      () => 0,
    )
  }

  async function reconcileInChild(killAtCall: number | null, afterMs = 0): Promise<ReconcileOutcome | null> {
    const task: ChildTask = {
      databaseUrl: database.url,
      source,
      credential,
      apiUrl: bridge,
      ahead,
      options: hasty,
    }
    const child = spawn(process.execPath, [childFile, JSON.stringify(task)], {
      stdio: ["ignore", "pipe", "inherit"],
    })
    const before = world.calls.length
    world.onCall = (count) => {
      if (killAtCall !== null && count - before === killAtCall)
        setTimeout(() => child.kill("SIGKILL"), afterMs)
    }
    const printed: Buffer[] = []
    child.stdout.on("data", (chunk: Buffer) => printed.push(chunk))
    await once(child, "close")
    world.onCall = () => {}
    const line = Buffer.concat(printed).toString().trim()
    const outcome = line === "" ? null : (JSON.parse(line, dates) as ReconcileOutcome)
    if (outcome?.status !== "complete") await goOn({ clock, pass }, outcome)
    return outcome
  }

  const hub: SaasHub = {
    database,
    source,
    clock,
    pass,
    send,
    reconcile,
    reconcileToEnd: () => untilComplete({ clock, pass }, () => reconcile()),
    reconcileInChild,
    async events() {
      const { rows: found } = await database.work.query<{
        key: string
        raw: Buffer
        backfilled: boolean
        headers: Record<string, string>
      }>("select delivery_id as key, raw, backfilled, headers from events where platform = $1", [
        platform.name,
      ])
      return found.map(({ raw, ...event }) => ({ ...event, body: JSON.parse(raw.toString()) }))
    },
    async ledger() {
      const { rows: found } = await database.work.query<{
        repaired: string
        open: string
        lost: string
        problem: string | null
        complete: boolean
      }>(
        `select repaired, open, lost, problem, complete_through is not null as complete
         from source_ledger where source_id = $1`,
        [source.id],
      )
      const { repaired = 0, open = 0, lost = 0, problem = null, complete = false } = found[0] ?? {}
      return { repaired: Number(repaired), open: Number(open), lost: Number(lost), problem, complete }
    },
  }
  return { hub, world }
}

const childFile = fileURLToPath(new URL("./reconcile-child.ts", import.meta.url))

function dates(key: string, value: unknown): unknown {
  return key === "nextAt" || key === "through" ? new Date(String(value)) : value
}

/** A server on a free port until the file ends; answers its address, with a slash at the end. */
async function serve(answer: (request: Request) => Promise<Response>): Promise<string> {
  const server = createServer((incoming, outgoing) => {
    relay(incoming, outgoing, answer).catch(() => outgoing.destroy())
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  afterAll(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

async function relay(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  answer: (request: Request) => Promise<Response>,
): Promise<void> {
  const body = Buffer.concat(await incoming.toArray())
  const { url = "/", method = "GET" } = incoming
  const headers = Object.entries(incoming.headers).map(([name, value]): [string, string] => [
    name,
    String(value),
  ])
  const response = await answer(new Request(`http://world.test${url}`, { method, headers, body }))
  outgoing.writeHead(response.status, Object.fromEntries(response.headers))
  outgoing.end(Buffer.from(await response.arrayBuffer()))
}
