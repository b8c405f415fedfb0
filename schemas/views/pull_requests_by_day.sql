-- pull_requests_by_day: pull requests of each repository by the day in UTC, a row for each day with any.
--   opened, merged    on that day
--   closed        on that day, unmerged, and not open again since
-- Under signalbox_reader it shows the rows of one tenant, as the tables do.
create or replace view pull_requests_by_day with (security_invoker = true) as
  select p.tenant, p.repository, (turn.at at time zone 'UTC')::date as day,
    count(*) filter (where turn.kind = 'opened') as opened,
    count(*) filter (where turn.kind = 'merged') as merged,
    count(*) filter (where turn.kind = 'closed') as closed
  from github_pull_requests p
  cross join lateral (values
    ('opened', p.opened_at),
    ('merged', p.merged_at),
    ('closed', case when p.merged_at is null then p.closed_at end)
  ) as turn (kind, at)
  where turn.at is not null
  group by 1, 2, 3;

grant select on pull_requests_by_day to signalbox_reader, signalbox_worker;
