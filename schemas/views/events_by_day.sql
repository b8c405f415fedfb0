-- events_by_day: events of each platform by the day in UTC on which they were processed, a row for each
-- day with any.
--   processed, failed    how many came to the log, and how many used up their attempts
--   mean_ms, max_ms      from receipt to the log, in milliseconds
--   p50_ms, p95_ms       the same of those that event_performance still holds; null where it holds none
-- The figures of events are added up before they are laid beside the counts, so none is multiplied.
-- Under signalbox_reader it shows the rows of one tenant, as the tables do.
create or replace view events_by_day with (security_invoker = true) as
  with counts as (
    select tenant, platform, (bucket at time zone 'UTC')::date as day, sum(processed)::bigint as processed,
      sum(failed)::bigint as failed, sum(total_ms) / nullif(sum(processed), 0) as mean_ms,
      max(max_ms) filter (where processed > 0) as max_ms
    from event_metrics group by 1, 2, 3
  ), timings as (
    select p.tenant, l.platform, (p.recorded_at at time zone 'UTC')::date as day,
      percentile_cont(0.5) within group (order by p.total_ms) as p50_ms,
      percentile_cont(0.95) within group (order by p.total_ms) as p95_ms
    from event_performance p
    join event_log l on l.event_id = p.event_id
    group by 1, 2, 3
  )
  select c.tenant, c.platform, c.day, c.processed, c.failed, c.mean_ms, c.max_ms, t.p50_ms, t.p95_ms
  from counts c
  left join timings t on t.tenant = c.tenant and t.platform = c.platform and t.day = c.day;

grant select on events_by_day to signalbox_reader, signalbox_worker;
