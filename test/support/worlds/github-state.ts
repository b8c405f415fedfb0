import type { http } from "msw"
import type { Maker, Records, Thing } from "./github-things.ts"

/** What became of a delivery: sent and answered, or lost in one of three ways. */
export type Fate = "sent" | "hub down" | "hub failing" | "never sent"

/** A delivery in the log of a hook: one entry an attempt. */
export interface Attempt {
  /** Wider than a number can hold, as GitHub's are. */
  id: bigint
  guid: string
  at: Date
  redelivery: boolean
  status: string
  statusCode: number
  event: string
  action: string | null
  repositoryId: number
}

export interface Delivery {
  guid: string
  event: string
  payload: Thing
  body: Buffer
  at: Date
  fate: Fate
}

export interface WorldHook extends Thing {
  id: number
  name: "web"
  active: boolean
  events: string[]
  config: { url: string; content_type: string; secret?: string; insecure_ssl: string }
}

export interface WorldRepository {
  repository: Thing
  records: Records
  makers: Record<string, Maker>
  hooks: WorldHook[]
}

export interface GithubWorldOptions {
  secret: string
  /** Token that it takes. */
  token?: string
  clock: () => Date
  /** Requests an hour, whatever they cost. */
  limit?: number
  /** One in so many requests is answered 502; 0 for none. */
  badGatewayEvery?: number
  /** One in so many requests meets a secondary limit; 0 for none. */
  secondaryEvery?: number
  /** Scopes that the token has; all where not given. */
  scopes?: readonly string[]
}

/** GitHub as far as we speak to it: state behind an API, and a sender of webhooks. */
export interface GithubWorld {
  apiUrl: string
  token: string
  org: string
  repositories: Map<string, WorldRepository>
  orgHooks: WorldHook[]
  /** Where hooks deliver; deliveries fail while it is null. */
  hookUrl: string | null
  /** GUIDs that never arrive, however often they are sent. */
  unreachable: Set<string>
  deliveries: Map<string, Delivery>
  attempts: Attempt[]
  /** Requests that the API has seen, and those that broke a limit. */
  calls: string[]
  violations: string[]
  /** Told of each request. */
  onCall: () => void
  /** Requests that counted towards the hourly limit, ever. */
  spent(): number
  /** Makes something happen in a repository, and sends its webhook unless it is to be lost. */
  happen(repository: string, maker: string, at: Date, fate?: Fate): Promise<Delivery>
  /** Sends a delivery (again), and logs the attempt. */
  send(delivery: Delivery, redelivery: boolean): Promise<void>
  addHook(repository: string, events?: string[]): WorldHook
  /** Resolves when no redelivery is under way any more. */
  idle(): Promise<void>
  /** Forgets deliveries older than three days, as GitHub does. */
  forget(): void
  answer(request: Request): Promise<Response>
  handlers: ReturnType<typeof http.all>[]
  options: GithubWorldOptions
  nextId(): number
  nextDeliveryId(): bigint
}

/** Headers of a delivery, but for its signature. */
export function sentHeaders(
  { event, guid, payload }: Delivery,
  hook: WorldHook | undefined,
): Record<string, string> {
  return {
    "user-agent": "GitHub-Hookshot/2b0c3d4",
    "x-github-event": event,
    "x-github-delivery": guid,
    "x-github-hook-id": String(hook?.id ?? 0),
    "x-github-hook-installation-target-type": "repository",
    "x-github-hook-installation-target-id": String((payload["repository"] as Thing)["id"]),
  }
}

/** `acme/api` of an event. */
export function nameOf(payload: Thing): string {
  return String((payload["repository"] as Thing)["full_name"])
}
