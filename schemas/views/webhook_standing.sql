-- webhook_standing: one row for each webhook subscription: how it goes.
--   lag, lag_seconds      positions of the log that it has not read yet, and how long ago the first of them was
--                         logged; what it does not want counts until it has passed it, which takes a second or two
--   retrying, held        deliveries that wait for another attempt, and those that wait behind one (ordered)
--   dead                  deliveries that have used up their attempts
--   failures              attempts that failed since the last success, as of failing_since
--   rests_until           nothing is sent before then, since the receiver failed or asked for it
-- Under signalbox_reader it shows the rows of one tenant, as the tables do.
create or replace view webhook_standing with (security_invoker = true) as
  select s.tenant, s.name as subscription, s.id as subscription_id, s.status,
    greatest(h.position - read.position, 0) as lag,
    coalesce(greatest(extract(epoch from clock_timestamp() - next.appended_at), 0), 0)::float8 as lag_seconds,
    (select count(*) from event_deliveries d where d.subscription_id = s.id and d.status = 'retrying') as retrying,
    (select count(*) from event_deliveries d where d.subscription_id = s.id and d.status = 'held') as held,
    (select count(*) from event_deliveries d where d.subscription_id = s.id and d.status = 'dead') as dead,
    coalesce(w.failures, 0) as failures, w.failing_since, w.last_success_at, w.last_failure_at, w.last_error,
    case when w.rests_until > clock_timestamp() then w.rests_until end as rests_until
  from stream_subscriptions s
  cross join event_log_head h
  cross join lateral (
    select coalesce(min(p.position), h.position) as position from subscription_partitions p
    where p.subscription_id = s.id
  ) read
  left join webhook_health w on w.subscription_id = s.id
  left join lateral (
    select l.appended_at from event_log l where l.position > read.position order by l.position limit 1
  ) next on h.position > read.position
  where s.kind = 'webhook';

grant select on webhook_standing to signalbox_reader, signalbox_worker;
