import { randomBytes } from "node:crypto"
import { setTimeout as sleep } from "node:timers/promises"
import { startHubProcess, type HubProcess } from "../hub/support/hub-process.ts"
import type { Chance } from "./chance.ts"

/** A hub of several processes on one database: one that takes in and processes, one for the API, two that stream. */
export interface Cluster extends AsyncDisposable {
  /** Where events are submitted. */
  readonly ingest: string
  /** Where the history is read and subscriptions are made. */
  readonly api: string
  /** One of the nodes that stream and are up, as a balancer would choose; undefined where none is. */
  streamNode(): string | undefined
  /** How often a node that streams was killed with SIGKILL, and ended with SIGTERM. */
  readonly ends: { SIGKILL: number; SIGTERM: number }
  /** Ends a node that streams, mostly by SIGKILL, at times both, and starts it again a moment later. */
  disturb(): Promise<void>
  /** Does so to both: what they had in memory is gone. */
  disturbBoth(): Promise<void>
}

/** Starts the processes. `env` is for all of them. */
export async function startCluster(
  databaseUrl: string,
  chance: Chance,
  env: Readonly<Record<string, string>> = {},
): Promise<Cluster> {
  await using stack = new AsyncDisposableStack()
  const common = {
    DATABASE_URL: databaseUrl,
    SIGNALBOX_ENCRYPTION_KEY: randomBytes(32).toString("base64"),
    SIGNALBOX_ALLOW_NETWORKS: "127.0.0.0/8",
    ...env,
  }
  const start = async (SIGNALBOX_ROLES: string): Promise<HubProcess> =>
    startHubProcess({ ...common, SIGNALBOX_ROLES })
  const nodes: (HubProcess | undefined)[] = []
  stack.defer(async () => {
    await Promise.all(nodes.map(async (node) => node?.end("SIGTERM")))
  })
  const ingest = stack.use(await start("ingest,worker"))
  const api = stack.use(await start("api"))
  for (const _ of [0, 1]) nodes.push(await start("stream"))
  const ends = { SIGKILL: 0, SIGTERM: 0 }

  async function restart(index: number): Promise<void> {
    const node = nodes[index]
    if (node === undefined) return
    const signal = chance.next() < 0.8 ? "SIGKILL" : "SIGTERM"
    nodes[index] = undefined
    ends[signal]++
    await node.end(signal)
    await sleep(chance.between(0, 1_000))
    nodes[index] = await start("stream")
  }

  async function disturbBoth(): Promise<void> {
    await Promise.all([0, 1].map(restart))
  }

  const held = stack.move()
  return {
    ingest: ingest.url,
    api: api.url,
    ends,
    streamNode: () => {
      const [first, ...others] = nodes.flatMap((node) => (node === undefined ? [] : [node.url]))
      return first === undefined ? undefined : chance.oneOf([first, ...others])
    },
    disturb: async () => (chance.next() < 0.2 ? disturbBoth() : restart(chance.between(0, 1))),
    disturbBoth,
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  }
}
