-- source_ledger: how complete each source is known to be, one row each.
--   complete_through  all that happened at the provider from complete_from until then is in events, but
--                     for the gaps that are open or lost; null where nothing is known: no sweep came to
--                     its end, or there is no credential with which the provider could be asked
--   repaired, open, lost   gaps by what became of them, outages among them
--   summary           the same in one line
-- Under signalbox_reader it shows the rows of one tenant, as the tables do.
create or replace view source_ledger with (security_invoker = true) as
  select s.id as source_id, s.tenant, s.platform, s.name as source, c.complete_from, c.complete_through,
    c.checked_at, c.ran_at, c.problem, c.progress, c.next_at, coalesce(c.calls, 0) as calls,
    c.wanted_at is not null as wanted, coalesce(c.leased_until > clock_timestamp(), false) as running,
    g.repaired, g.open, g.lost,
    format('%s; %s repaired, %s open%s',
      coalesce('complete through ' || to_char(c.complete_through at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'),
        'not known to be complete'),
      g.repaired, g.open, case when g.lost > 0 then format(', %s lost', g.lost) else '' end) as summary
  from sources s
  left join source_completeness c on c.source_id = s.id
  cross join lateral (
    select count(*) filter (where state = 'repaired') as repaired,
      count(*) filter (where state in ('open', 'requested')) as open,
      count(*) filter (where state = 'lost') as lost
    from source_gaps where source_id = s.id
  ) g;

grant select on source_ledger to signalbox_reader, signalbox_worker;
