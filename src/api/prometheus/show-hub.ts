import type { HubFigures } from "../../store/hub-figures.ts"
import type { PublicationState } from "../../store/log-publications.ts"
import type { Page } from "./page.ts"

const deadLetterKinds = ["processing", "handler", "callback", "webhook", "group", "outbox"]
const statuses = ["active", "paused", "skipping", "disabled"]

const priorityOf = (queue: string): string => queue.replace(/^events-/, "")

/** Puts what the database knows of the whole hub on the page. */
export function showHub(page: Page, figures: HubFigures, published: PublicationState | null): void {
  const { logged, queues, outbox, deadLetters, consumers, webhooks, webhookStatuses, sources, all } = figures
  page.counter("signalbox_events_logged_total", "Events that were ever written to the log", logged)
  page.gauge(
    "signalbox_queue_jobs",
    "Jobs of processing, each a batch of events, up to 10000 a priority",
    queues.flatMap(({ queue, waiting, active }) => [
      [{ priority: priorityOf(queue), state: "waiting" }, waiting] as const,
      [{ priority: priorityOf(queue), state: "active" }, active] as const,
    ]),
  )
  page.gauge(
    "signalbox_queue_oldest_job_seconds",
    "How long the oldest job has waited for a worker",
    queues.map(({ queue, oldestSeconds }) => [{ priority: priorityOf(queue) }, oldestSeconds]),
  )
  page.gauge("signalbox_outbox_events", "Published events not yet taken in, up to 10000", outbox.waiting)
  page.gauge(
    "signalbox_outbox_oldest_seconds",
    "How long the oldest of these has waited",
    outbox.oldestSeconds,
  )
  page.gauge(
    "signalbox_dead_letters",
    "Open dead letters, up to 10000 of each consumer, of processing and of the outbox",
    deadLetterKinds.map((kind) => [{ kind }, deadLetters.find((found) => found.kind === kind)?.open ?? 0]),
  )

  const ofConsumer = ({ tenant, kind, consumer }: (typeof consumers)[number]) => ({ tenant, kind, consumer })
  page.gauge(
    "signalbox_consumer_lag_events",
    "Positions of the log that a consumer has not passed, by its partition furthest behind",
    consumers.map((consumer) => [ofConsumer(consumer), consumer.lag]),
  )
  page.gauge(
    "signalbox_consumer_lag_seconds",
    "How long ago the first event was logged that a consumer has not passed",
    consumers.map((consumer) => [ofConsumer(consumer), consumer.lagSeconds]),
  )
  page.gauge(
    "signalbox_consumer_holders",
    "Processes, or members of a group, that are ready to run a consumer",
    consumers.map((consumer) => [ofConsumer(consumer), consumer.holders]),
  )

  page.gauge(
    "signalbox_webhook_subscriptions",
    "Webhook subscriptions by status",
    statuses.map((status) => [
      { status },
      webhookStatuses.find((found) => found.status === status)?.count ?? 0,
    ]),
  )
  page.gauge(
    "signalbox_webhook_resting",
    "1 while nothing is sent to a receiver, since it failed or asked for a pause",
    webhooks.map(({ tenant, subscription, resting }) => [{ tenant, subscription }, Number(resting)]),
  )
  page.gauge(
    "signalbox_webhook_failures",
    "Attempts at a receiver that failed since the last success",
    webhooks.map(({ tenant, subscription, failures }) => [{ tenant, subscription }, failures]),
  )

  page.gauge(
    "signalbox_source_complete_through_age_seconds",
    "Age of the time up to which a source is known to be complete",
    sources.flatMap(({ tenant, platform, source, behindSeconds }) =>
      behindSeconds === null ? [] : [[{ tenant, platform, source }, behindSeconds] as const],
    ),
  )
  const swept = sources.filter(({ hasLedger }) => hasLedger)
  page.gauge(
    "signalbox_source_completeness_unknown",
    "1 while nothing is known to be complete of a source that is swept",
    swept.map(({ tenant, platform, source, behindSeconds }) => [
      { tenant, platform, source },
      Number(behindSeconds === null),
    ]),
  )
  page.gauge(
    "signalbox_source_problem",
    "1 where the last sweep of a source did not come to its end, or had to leave something out",
    swept.map(({ tenant, platform, source, hasProblem }) => [
      { tenant, platform, source },
      Number(hasProblem),
    ]),
  )
  page.gauge(
    "signalbox_source_gaps",
    "Gaps of a source that are not repaired, up to 10000 a source",
    sources.flatMap(({ tenant, platform, source, open, lost }) => [
      [{ tenant, platform, source, state: "open" }, open] as const,
      [{ tenant, platform, source, state: "lost" }, lost] as const,
    ]),
  )
  page.gauge("signalbox_figures_left_out", "What there is more of than this page lists", [
    [{ of: "consumers" }, all.consumers - consumers.length],
    [{ of: "webhooks" }, all.webhooks - webhooks.length],
    [{ of: "sources" }, all.sources - sources.length],
  ])

  if (published === null) return
  page.gauge(
    "signalbox_nats_lag_events",
    "Positions of the log that are not yet published to NATS",
    Math.max(0, published.head - (published.position ?? 0)),
  )
  page.gauge(
    "signalbox_nats_lag_seconds",
    "How long the oldest event waits that is not yet published to NATS",
    published.waitingSeconds,
  )
}
