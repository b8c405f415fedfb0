import type { Db } from "./database.ts"

/** How the hub does as a whole: the same from whatever process it is read. */
export interface HubFigures {
  /** Last position of the log: events that were ever logged. */
  logged: number
  queues: QueueFigure[]
  outbox: { waiting: number; oldestSeconds: number }
  /** Open ones, up to the limit of each consumer, and of each kind that has none. */
  deadLetters: { kind: string; open: number }[]
  /** Those that are switched on, the ones furthest behind first: the others lag on purpose. */
  consumers: ConsumerFigure[]
  webhooks: WebhookFigure[]
  /** All webhook subscriptions. */
  webhookStatuses: { status: string; count: number }[]
  /** Those that are enabled, the ones of which least is known first. */
  sources: SourceFigure[]
  /** What there is more of than is listed. */
  all: { consumers: number; webhooks: number; sources: number }
}

/** Jobs of one priority; each carries a batch of events. */
export interface QueueFigure {
  queue: string
  waiting: number
  active: number
  /** How long the oldest that could be worked on has waited; 0 where none does. */
  oldestSeconds: number
}

/** A consumer that keeps its place, by its partition furthest behind. */
export interface ConsumerFigure {
  tenant: string
  kind: string
  consumer: string
  lag: number
  lagSeconds: number
  /** Processes, or members of a group, that are ready to run it. */
  holders: number
}

/** How the receiver of a webhook subscription does. */
export interface WebhookFigure {
  tenant: string
  subscription: string
  status: string
  /** Whether nothing is sent at present, since it failed or asked for a pause. */
  resting: boolean
  /** Attempts that failed since the last success. */
  failures: number
}

/** How complete a source is known to be. */
export interface SourceFigure {
  tenant: string
  platform: string
  source: string
  /** Age of the time up to which it is complete; null where nothing is known. */
  behindSeconds: number | null
  /** Whether it has a ledger: none has without a credential, or where the platform keeps no record to ask. */
  hasLedger: boolean
  /** Whether its last sweep did not come to its end, or had to leave something out. */
  hasProblem: boolean
  open: number
  lost: number
}

/** What is counted is counted up to this, and what is named is at most so many. */
export interface FigureLimits {
  counted: number
  named: number
}

const isOn = "s.status in ('active', 'skipping')"
const isReady = "m.subscriptions @> array[s.id] and m.expires_at > clock_timestamp()"

/**
 * Reads the figures, of all tenants: `db` is under the worker role. Of jobs, gaps and what waits in the outbox no
 * more rows are read than are counted, and of dead letters no more than that for each consumer. Subscriptions, their
 * partitions, sources and ledgers are read whole, however few are named: there are as many as people have set up.
 * So are the open dead letters of processing and of the outbox, where one of these has fewer than the limit.
 */
export async function readHubFigures(
  db: Db,
  queues: readonly string[],
  limits: FigureLimits,
): Promise<HubFigures> {
  const { rows: standing } = await db.query<{
    logged: number
    outbox: number
    oldestSeconds: number
    consumers: number
    sources: number
  }>(
    `select h.position as logged,
       (select count(*) from (select from outbox where processed_at is null limit $1) o) as outbox,
       coalesce((select greatest(0, extract(epoch from clock_timestamp() - created_at))::float8 from outbox
         where processed_at is null order by id limit 1), 0) as "oldestSeconds",
       (select count(*) from stream_subscriptions s where ${isOn}) as consumers,
       (select count(*) from sources where enabled) as sources
     from event_log_head h`,
    [limits.counted],
  )
  const { logged = 0, outbox = 0, oldestSeconds = 0, ...all } = standing[0] ?? {}
  const webhookStatuses = await countWebhooks(db)
  const webhooks = webhookStatuses.reduce((sum, { count }) => sum + count, 0)
  return {
    logged,
    queues: await readQueues(db, queues, limits),
    outbox: { waiting: outbox, oldestSeconds },
    deadLetters: await countDeadLetters(db, limits),
    consumers: await readConsumers(db, limits),
    webhooks: await readWebhooks(db, limits),
    webhookStatuses,
    sources: await readSources(db, limits),
    all: { consumers: 0, sources: 0, ...all, webhooks },
  }
}

async function readQueues(
  db: Db,
  queues: readonly string[],
  { counted }: FigureLimits,
): Promise<QueueFigure[]> {
  const { rows } = await db.query<QueueFigure>(
    `select q.name as queue,
       (select count(*) from (select from pgboss.job j
         where j.name = q.name and j.state < 'active' and not j.blocked limit $2) w) as waiting,
       (select count(*) from (select from pgboss.job j
         where j.name = q.name and j.state = 'active' limit $2) a) as active,
       coalesce((select greatest(0, extract(epoch from clock_timestamp() - greatest(j.created_on, j.start_after)))::float8
         from pgboss.job j
         where j.name = q.name and j.state < 'active' and not j.blocked and j.start_after <= now()
         order by j.priority desc, j.created_on limit 1), 0) as "oldestSeconds"
     from unnest($1::text[]) q (name)`,
    [queues, counted],
  )
  return rows
}

async function countDeadLetters(
  db: Db,
  { counted }: FigureLimits,
): Promise<{ kind: string; open: number }[]> {
  const { rows } = await db.query<{ kind: string; open: number }>(
    // By consumer, as the index has them: one that fails at everything neither hides the others nor costs more.
    `select kind, sum(open)::bigint as open from (
       select s.kind, d.open from stream_subscriptions s cross join lateral (
         select count(*) as open from (select from dead_letters
           where subscription_id = s.id and status = 'open' limit $1) l) d
       union all
       select k.kind, d.open from unnest(array['processing', 'outbox']) k (kind) cross join lateral (
         select count(*) as open from (select from dead_letters
           where subscription_id is null and kind = k.kind and status = 'open' limit $1) l) d) found
     group by kind order by kind`,
    [counted],
  )
  return rows
}

async function readConsumers(db: Db, { named }: FigureLimits): Promise<ConsumerFigure[]> {
  const { rows } = await db.query<ConsumerFigure>(
    `with behind as materialized (
       select s.id, s.tenant, s.kind, s.name, h.position as head, coalesce(min(p.position), h.position) as read
       from stream_subscriptions s
       cross join event_log_head h
       left join subscription_partitions p on p.subscription_id = s.id
       where ${isOn}
       group by s.id, h.position
       order by coalesce(min(p.position), h.position), s.tenant, s.name limit $1)
     select s.tenant, s.kind, s.name as consumer, greatest(s.head - s.read, 0) as lag,
       case when s.head > s.read then coalesce((
         select greatest(0, extract(epoch from clock_timestamp() - l.appended_at))::float8
         from event_log l where l.position > s.read order by l.position limit 1), 0) else 0 end as "lagSeconds",
       (select count(*) from consumer_members m where ${isReady}) as holders
     from behind s order by s.read, s.tenant, s.name`,
    [named],
  )
  return rows
}

async function readWebhooks(db: Db, { named }: FigureLimits): Promise<WebhookFigure[]> {
  const { rows } = await db.query<WebhookFigure>(
    `select s.tenant, s.name as subscription, s.status, coalesce(w.failures, 0) as failures,
       coalesce(w.rests_until > clock_timestamp(), false) as resting
     from stream_subscriptions s left join webhook_health w on w.subscription_id = s.id
     where s.kind = 'webhook' order by coalesce(w.failures, 0) desc, s.tenant, s.name limit $1`,
    [named],
  )
  return rows
}

async function countWebhooks(db: Db): Promise<HubFigures["webhookStatuses"]> {
  const { rows } = await db.query<HubFigures["webhookStatuses"][number]>(
    "select status, count(*) from stream_subscriptions where kind = 'webhook' group by status order by status",
  )
  return rows
}

async function readSources(db: Db, { named, counted }: FigureLimits): Promise<SourceFigure[]> {
  const { rows } = await db.query<SourceFigure>(
    `select s.tenant, s.platform, s.name as source,
       -- Of a null and 0 the greatest is 0, and would say complete.
       case when c.complete_through is not null
         then greatest(0, extract(epoch from clock_timestamp() - c.complete_through))::float8 end as "behindSeconds",
       c.source_id is not null as "hasLedger", c.problem is not null as "hasProblem", g.open, g.lost
     from (select s.* from sources s left join source_completeness c on c.source_id = s.id
       where s.enabled
       order by c.source_id is null, c.complete_through nulls first, s.tenant, s.platform, s.name limit $1) s
     left join source_completeness c on c.source_id = s.id
     cross join lateral (
       select count(*) filter (where state <> 'lost') as open, count(*) filter (where state = 'lost') as lost
       from (select state from source_gaps where source_id = s.id and state <> 'repaired' limit $2) u
     ) g
     order by s.tenant, s.platform, s.name`,
    [named, counted],
  )
  return rows
}
