import type { Explanation } from "../core/explanation.ts"
import type { SubmittedEvent } from "../handlers/handler.ts"
import type { Status } from "../live/status.ts"
import type { DeploymentPayload } from "../platforms/deployment/schema.ts"
import {
  eventsOptionNames,
  type AsOfOptions,
  type CallOptions,
  type EventPage,
  type EventsOptions,
  type LinkPage,
  type PageOptions,
  type StreamDefinition,
  type SubmitOptions,
  type Submitted,
  type TimelineEvent,
  type TimelineOptions,
  type TimelinePage,
} from "./answers.ts"
import type { AsJson, ClientEvent } from "./event.ts"
import type { EventStream } from "./follow.ts"
import { createGroup, type Group } from "./group/group.ts"
import type { GroupOptions } from "./group/options.ts"
import { checkOptions } from "./known-options.ts"
import { paged, type Paged } from "./paged.ts"
import { filterParameter, queryString } from "./query.ts"
import { createRequests, type RequestOptions } from "./requests.ts"
import { createStream, type StreamOptions } from "./stream.ts"
import type { StreamToken } from "./stream-access.ts"
import type { OpenWebSocket } from "./websocket.ts"

export type ClientOptions = RequestOptions & {
  /** Opens the WebSockets of `transport: "websocket"`, in place of the runtime's own. */
  openWebSocket?: OpenWebSocket | undefined
  /**
   * Gets a token that is good for one connection to a stream, from a server that has a key: for browsers that
   * have none. Their WebSockets, which send no headers, need one in any case; with a key, the client gets it.
   */
  streamToken?: StreamToken | undefined
}

/** A hub, over HTTP. Every call throws a `SignalboxClientError` where it fails. */
export interface Client {
  /**
   * Follows a stream (`all_events`, `pr_events`, …), or several as one by their names and patterns of names
   * (`["pr_events", "deploys.**"]`): every event once, in the order of their positions, and again from there
   * when the connection is lost. It connects when its first event is asked for.
   */
  stream(streams: string | readonly string[], options?: StreamOptions): EventStream
  /** A consumer group, to whose work `run` lends a hand: `await client.group("billing").run(async (event) => …)`. */
  group(name: string, options?: GroupOptions): Group
  /** The history of all events. */
  events(options?: EventsOptions): Paged<ClientEvent, EventPage>
  /** One event by its id. */
  event(id: string, options?: CallOptions): Promise<ClientEvent>
  /** What happened with an entity and all that is linked to it, in the order in which it happened. */
  timeline(entity: string, options?: TimelineOptions): Paged<TimelineEvent, TimelinePage>
  /** The links of an entity, strong and weak. */
  links(entity: string, options?: PageOptions & AsOfOptions): Paged<LinkPage["links"][number], LinkPage>
  /** How an issue, a pull request, a commit or a deployment stands, and where it is live. */
  status(entity: string, options?: AsOfOptions): Promise<AsJson<Status>>
  /** Why two entities are linked, or why not. */
  explain(from: string, to: string, options?: AsOfOptions): Promise<Explanation>
  /** The key of what people call `ENG-123`, `acme/api#42`, `4f2a1c9`, or by an address. */
  find(name: string, options?: CallOptions): Promise<string>
  /** Submits an event of one's own. */
  submit(event: SubmittedEvent, options?: SubmitOptions): Promise<Submitted>
  /** Submits a deployment. */
  submitDeployment(deployment: DeploymentPayload, options?: SubmitOptions): Promise<Submitted>
  /** The streams there are. */
  streams(options?: CallOptions): Promise<StreamDefinition[]>
}

/** Makes a client of the hub at `url`, let in by an API key or by what `token` gives. */
export function createClient(options: ClientOptions): Client {
  const requests = createRequests(options)
  const { json } = requests

  async function post(
    path: string,
    body: object,
    { idempotencyKey, signal }: SubmitOptions,
  ): Promise<Submitted> {
    const headers: Record<string, string> = { "content-type": "application/json" }
    if (idempotencyKey !== undefined) headers["idempotency-key"] = idempotencyKey
    return json(path, { method: "POST", headers, body: JSON.stringify(body), ...withSignal(signal) })
  }

  return {
    stream: (streams, wanted = {}) => createStream({ ...options, requests }, streams, wanted),
    group: (name, wanted = {}) => createGroup(requests, name, wanted),
    events: (wanted = {}) => {
      checkOptions("events", wanted, eventsOptionNames)
      const { order, since, until, pageSize: limit, signal } = wanted
      const filter = filterParameter(wanted)
      return paged(
        async (cursor): Promise<EventPage> =>
          json(
            `/api/v1/events${queryString({ order, since, until, limit, filter, cursor })}`,
            withSignal(signal),
          ),
        (page) => page.events,
        wanted.cursor,
      )
    },
    event: async (id, { signal } = {}) =>
      json(`/api/v1/events/${encodeURIComponent(id)}`, withSignal(signal)),
    timeline: (entity, { pageSize: limit, asOf, payload, signal, cursor: begin } = {}) =>
      paged(
        async (cursor): Promise<TimelinePage> =>
          json(
            `${entityPath(entity)}/timeline${queryString({ limit, asOf, payload, cursor })}`,
            withSignal(signal),
          ),
        (page) => page.events,
        begin,
      ),
    links: (entity, { pageSize: limit, asOf, signal, cursor: begin } = {}) =>
      paged(
        async (cursor): Promise<LinkPage> =>
          json(`${entityPath(entity)}/links${queryString({ limit, asOf, cursor })}`, withSignal(signal)),
        (page) => page.links,
        begin,
      ),
    status: async (entity, { asOf, signal } = {}) =>
      json(`${entityPath(entity)}/status${queryString({ asOf })}`, withSignal(signal)),
    explain: async (from, to, { asOf, signal } = {}) =>
      json(`/api/v1/links/explain${queryString({ from, to, asOf })}`, withSignal(signal)),
    find: async (name, { signal } = {}) => {
      const { key } = await json<{ key: string }>(
        `/api/v1/entities${queryString({ name })}`,
        withSignal(signal),
      )
      return key
    },
    submit: async (event, wanted = {}) => post("/api/v1/events", event, wanted),
    submitDeployment: async (deployment, wanted = {}) => post("/api/v1/deployments", deployment, wanted),
    streams: async ({ signal } = {}) => {
      const pages = paged(
        async (cursor): Promise<{ streams: StreamDefinition[]; nextCursor: string | null }> =>
          json(`/api/v1/streams${queryString({ cursor })}`, withSignal(signal)),
        (page) => page.streams,
      )
      const all: StreamDefinition[] = []
      for await (const stream of pages) all.push(stream)
      return all
    },
  }
}

function entityPath(entity: string): string {
  return `/api/v1/entities/${encodeURIComponent(entity)}`
}

function withSignal(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal }
}
