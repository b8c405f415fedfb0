import { byLabel, type Page } from "./page.ts"
import type { ProcessFigures, StreamFigures } from "./process-figures.ts"

/** Puts what a process knows of itself on the page. */
export function showProcess(page: Page, { roles, components, pools, streams, nats }: ProcessFigures): void {
  page.gauge("signalbox_process_info", "1; the roles of this process", [[{ roles: roles.join(",") }, 1]])
  page.gauge(
    "signalbox_component_up",
    "0 where this part of the process cannot work at present; /readyz says why",
    [...components].map(([component, ask]) => [{ component }, ask().problem === undefined ? 1 : 0]),
  )
  page.gauge(
    "signalbox_database_connections",
    "Connections of this process to PostgreSQL",
    Object.entries(pools).flatMap(([pool, { totalCount, idleCount }]) => [
      [{ pool, state: "busy" }, totalCount - idleCount] as const,
      [{ pool, state: "idle" }, idleCount] as const,
    ]),
  )
  page.gauge(
    "signalbox_database_connections_waited_for",
    "Work of this process that waits for a connection to PostgreSQL",
    Object.entries(pools).map(([pool, { waitingCount }]) => [{ pool }, waitingCount]),
  )
  if (streams) showStreams(page, streams())
  if (nats) {
    const { connected, publishing } = nats.state()
    page.gauge("signalbox_nats_connected", "1 while this process is connected to NATS", Number(connected))
    page.gauge("signalbox_nats_publishing", "1 where this process publishes the log", Number(publishing))
    page.gauge(
      "signalbox_nats_streaming",
      "1 while the streams of this process have their news from NATS",
      Number(nats.streaming()),
    )
  }
}

function showStreams(page: Page, streams: StreamFigures): void {
  page.gauge("signalbox_streams_open", "Open streams", sumOf(streams.byTransport))
  page.gauge(
    "signalbox_streams_open_by_transport",
    "Open streams by transport",
    byLabel("transport", streams.byTransport),
  )
  page.gauge(
    "signalbox_streams_catching_up",
    "Open streams that are still sent history, or are paced",
    streams.catchingUp,
  )
  page.gauge(
    "signalbox_streams_lag_events",
    "Positions that the open stream furthest behind is behind the head of the log",
    streams.lag.max,
  )
  page.gauge(
    "signalbox_streams_unsent_bytes",
    "Bytes that wait in memory for clients to take them",
    streams.unsentBytes,
  )
  page.gauge(
    "signalbox_streams_feed_position",
    "Position up to which this process has read the log; it rests while nobody listens",
    streams.feed.position,
  )
  page.counter("signalbox_streams_opened_total", "Streams that were opened", streams.opened)
  page.counter("signalbox_streams_sent_bytes_total", "Bytes written to streams", streams.bytes)
  page.counter("signalbox_streams_sent_events_total", "Events written to streams", streams.events)
  page.counter(
    "signalbox_streams_catch_up_reads_total",
    "Pages of the log read for those who catch up with more than memory holds",
    streams.catchUpReads,
  )
  page.counter(
    "signalbox_streams_dropped_total",
    "Streams cut because their client did not keep up or could not be served; it resumes",
    counted("reason", ["too_slow", "stalled", "failed"], streams.droppedBy),
  )
  page.counter(
    "signalbox_streams_ended_total",
    "Streams ended by this process with a word to the client",
    counted("reason", ["shutdown", "closed", "key_ended"], streams.endedBy),
  )
  page.counter(
    "signalbox_streams_refused_total",
    "Requests for a stream that were turned away",
    counted("reason", ["full", "key", "address", "conditions"], streams.refusedBy),
  )
}

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0)
}

/** A counter that begins at 0 is seen to rise at its first time, one that begins at 1 is not. */
function counted(label: string, names: readonly string[], counts: Readonly<Record<string, number>>) {
  return byLabel(label, { ...Object.fromEntries(names.map((name) => [name, 0])), ...counts })
}
