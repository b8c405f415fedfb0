import { createHash, createHmac } from "node:crypto"
import { http } from "msw"
import { answerApi, spentBy } from "./github-api.ts"
import {
  nameOf,
  sentHeaders,
  type Delivery,
  type Fate,
  type GithubWorld,
  type GithubWorldOptions,
  type WorldHook,
} from "./github-state.ts"
import { makersOf, noRecords, text, type Happening, type Thing } from "./github-things.ts"

const logDays = 3
let worlds = 0

/** Makes a world with one organization, `acme`, and the repositories `api` and `web`. */
export function createGithubWorld(options: GithubWorldOptions): GithubWorld {
  const { token = "ghp_worldtoken", secret } = options
  const apiUrl = `https://api-${++worlds}.github.test` // limits go by address and token
  let id = 7_000_000
  let deliveryId = 9_007_199_254_740_993n // one past what a number can tell from its neighbour
  const pending = new Set<Promise<void>>()
  const nextId = (): number => (id += 7)

  const world: GithubWorld = {
    apiUrl,
    token,
    org: "acme",
    repositories: new Map(),
    orgHooks: [],
    hookUrl: null,
    unreachable: new Set(),
    deliveries: new Map(),
    attempts: [],
    calls: [],
    violations: [],
    onCall: () => {},
    spent: () => spentBy(world),
    options,
    nextId,
    nextDeliveryId: () => (deliveryId += 2n),
    happen,
    send,
    addHook,
    async idle() {
      while (pending.size > 0) await Promise.all(pending)
    },
    forget() {
      const oldest = options.clock().getTime() - logDays * 86_400_000
      world.attempts = world.attempts.filter(({ at }) => at.getTime() >= oldest)
    },
    answer: (request) => answerApi(world, request, (work) => later(work)),
    handlers: [http.all(`${apiUrl}/*`, ({ request }) => world.answer(request))],
  }
  for (const name of ["api", "web"]) addRepository(name)
  return world

  function later(work: Promise<void>): void {
    pending.add(work)
    void work.finally(() => pending.delete(work))
  }

  function addRepository(name: string): void {
    const fullName = `${world.org}/${name}`
    const repository: Thing = {
      id: nextId(),
      name,
      full_name: fullName,
      private: true,
      owner: { login: world.org, id: 4242, type: "Organization" },
      html_url: `https://github.com/${fullName}`,
      url: `https://api.github.com/repos/${fullName}`,
      default_branch: "main",
      created_at: "2020-01-01T00:00:00Z",
      updated_at: text(options.clock()),
      pushed_at: text(options.clock()),
    }
    const records = noRecords()
    const makers = makersOf({ repository, records, nextId })
    world.repositories.set(fullName, { repository, records, makers, hooks: [] })
  }

  function addHook(repository: string, events = ["*"]): WorldHook {
    const url = world.hookUrl ?? "https://hub.test/webhooks/github"
    const config = { url, content_type: "json", secret, insecure_ssl: "0" }
    const hook: WorldHook = { id: nextId(), name: "web", active: true, events, config }
    world.repositories.get(repository)?.hooks.push(hook)
    return hook
  }

  async function happen(repository: string, maker: string, at: Date, fate: Fate = "sent"): Promise<Delivery> {
    const made: Happening | undefined = world.repositories.get(repository)?.makers[maker]?.(at)
    if (made === undefined) throw new Error(`nothing can ${maker} in ${repository}`)
    const delivery: Delivery = {
      guid: guidOf(nextId()),
      event: made.event,
      payload: made.payload,
      body: Buffer.from(JSON.stringify(made.payload)),
      at,
      fate,
    }
    world.deliveries.set(delivery.guid, delivery)
    if (fate === "sent") await send(delivery, false)
    if (fate === "hub down") log(delivery, at, { status: "failed to connect to host", statusCode: 0 }, false)
    if (fate === "hub failing") log(delivery, at, { status: "Service Unavailable", statusCode: 503 }, false)
    return delivery
  }

  async function send(delivery: Delivery, redelivery: boolean): Promise<void> {
    const { body, guid } = delivery
    const hook = hookOf(delivery)
    const at = redelivery ? options.clock() : delivery.at
    if (world.hookUrl === null || world.unreachable.has(guid)) {
      log(delivery, at, { status: "timed out", statusCode: 0 }, redelivery)
      return
    }
    const response = await fetch(world.hookUrl, {
      method: "POST",
      headers: {
        ...sentHeaders(delivery, hook),
        "content-type": "application/json",
        "x-hub-signature-256": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
      },
      body: new Uint8Array(body),
    }).catch(() => null)
    await response?.arrayBuffer().catch(() => {})
    const status = response === null ? "failed to connect to host" : response.ok ? "OK" : response.statusText
    log(delivery, at, { status, statusCode: response?.status ?? 0 }, redelivery)
  }

  function hookOf({ payload }: Delivery): WorldHook | undefined {
    return world.repositories.get(nameOf(payload))?.hooks[0] ?? world.orgHooks[0]
  }

  function log(
    { guid, event, payload }: Delivery,
    at: Date,
    outcome: { status: string; statusCode: number },
    redelivery: boolean,
  ): void {
    const action = payload["action"]
    world.attempts.push({
      id: world.nextDeliveryId(),
      guid,
      at,
      redelivery,
      ...outcome,
      event,
      action: typeof action === "string" ? action : null,
      repositoryId: Number(world.repositories.get(nameOf(payload))?.repository["id"]),
    })
  }
}

function guidOf(seed: number): string {
  const hex = createHash("sha256").update(`guid ${seed}`).digest("hex")
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join("-")
}
