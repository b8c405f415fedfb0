-- consumer_group_lag: one row for each partition of each consumer group.
--   member, member_name   who holds it and is alive; null where nobody does
--   generation            rises with every change of hands
--   committed, head       the position that was committed last, and the newest of the log
--   lag                   positions between the two; those that are not the group's count until it has passed them
--   lag_seconds           how long ago the first of these was appended to the log; 0 where there is none
-- Under signalbox_reader it shows the rows of one tenant, as the tables do.
create or replace view consumer_group_lag with (security_invoker = true) as
  select s.tenant, s.name as consumer_group, s.stream, p.partition, m.id as member, m.name as member_name,
    p.fence as generation, p.position as committed, h.position as head,
    greatest(h.position - p.position, 0) as lag,
    coalesce(greatest(extract(epoch from clock_timestamp() - next.appended_at), 0), 0)::float8 as lag_seconds
  from stream_subscriptions s
  join subscription_partitions p on p.subscription_id = s.id
  cross join event_log_head h
  left join consumer_members m on m.id = p.lease_owner and m.expires_at > clock_timestamp()
  left join lateral (
    select l.appended_at from event_log l where l.position > p.position order by l.position limit 1
  ) next on h.position > p.position
  where s.kind = 'group';

grant select on consumer_group_lag to signalbox_reader, signalbox_worker;
