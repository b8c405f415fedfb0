-- event_processing_summary: how processing goes, a row for each tenant, platform and type.
--   events        all of them = pending + retrying + processed + dead
--   retried       those that took more than one attempt
--   attempts      of all of them together
--   p50_ms …      from receipt to the log, in milliseconds, of those that got there
-- Each joined table has at most one row an event, so no count is multiplied.
create or replace view event_processing_summary with (security_invoker = true) as
  select
    e.tenant,
    e.platform,
    e.type,
    count(*) as events,
    count(*) filter (where s.event_id is null) as pending,
    count(*) filter (where s.status = 'retrying') as retrying,
    count(*) filter (where s.status = 'processed') as processed,
    count(*) filter (where s.status = 'dead') as dead,
    count(*) filter (where s.attempts > 1) as retried,
    coalesce(sum(s.attempts), 0) as attempts,
    percentile_cont(0.5) within group (order by p.total_ms) as p50_ms,
    percentile_cont(0.95) within group (order by p.total_ms) as p95_ms,
    percentile_cont(0.99) within group (order by p.total_ms) as p99_ms,
    min(e.received_at) as first_received_at,
    max(e.received_at) as last_received_at
  from events e
  left join event_processing_status s on s.event_id = e.id
  left join event_performance p on p.event_id = e.id
  group by e.tenant, e.platform, e.type;

grant select on event_processing_summary to signalbox_reader, signalbox_worker;
