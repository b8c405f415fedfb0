-- github_pull_requests: one row for each pull request, as its events tell of it.
--   opened_at, merged_at, merge_sha   by GitHub's own record, which every event of it carries: an opening
--                 that never came is known all the same
--   closed_at     null while it is open, again or still; merging closes too
--   branch        key of its head branch; null for a branch that much other work passes through
--   started_at    when work on it is first seen: the creation of its branch, or the earliest time that a
--                 commit bears which was pushed there before it was opened. Null where neither was seen.
--                 Of a branch that is used again, only what came after its last pull request was closed.
-- Under signalbox_reader it shows the rows of one tenant, as the tables do.
drop function if exists read_github_pull_requests();
create function read_github_pull_requests() returns table (
  tenant text, pull_request text, repository text, number bigint, author_id text, base_ref text, branch text,
  started_at timestamptz, opened_at timestamptz, closed_at timestamptz, merged_at timestamptz, merge_sha text
)
-- The planner takes groups to be few, and would go through all of one side for each row of the other.
language sql stable rows 10000 set enable_nestloop = off set jit = off as $$
  with told as (
    select g.tenant, g.repository, g.number, g.author_id, g.base_ref, g.opened_at, g.closed_at, g.merged_at,
      g.merge_sha,
      case when g.event_name = 'pull_request' and g.action = 'reopened' then l.occurred_at end as reopened_at
    from github_events g
    join event_log l on l.event_id = g.event_id
    where g.event_name like 'pull\_request%' and g.repository is not null and g.number is not null
      and g.opened_at is not null
  ), facts as (
    select tenant, 'github:pull_request:' || repository || '#' || number as pull_request, repository, number,
      max(author_id) as author_id, max(base_ref) as base_ref, min(opened_at) as opened_at,
      case when count(merged_at) > 0 or max(reopened_at) is null or max(reopened_at) < max(closed_at)
        then max(closed_at) end as closed_at,
      min(merged_at) as merged_at, max(merge_sha) as merge_sha
    from told group by tenant, repository, number
  ), branches as (
    select tenant, from_entity as pull_request, min(to_entity) as branch
    from event_correlations
    where relation = 'head_branch' and strength = 'strong' and known_to = 'infinity'
    group by 1, 2
  ), on_branches as (
    select f.*, b.branch, max(f.closed_at) over (
        partition by f.tenant, b.branch order by f.opened_at
        rows between unbounded preceding and 1 preceding) as used_until
    from facts f
    left join branches b on b.tenant = f.tenant and b.pull_request = f.pull_request
  ), work as (
    select p.tenant, 'github:branch:' || replace(p.line, '@refs/heads/', '@') as branch, p.at as seen_at,
      least(g.first_commit_at, p.at) as began_at
    from pushes p
    left join github_events g on g.event_id = p.event_id
    where p.after_sha is not null
    union all
    select g.tenant, l.entity, l.occurred_at, l.occurred_at
    from github_events g
    join event_log l on l.event_id = g.event_id
    where g.event_name = 'create'
  ), started as (
    select p.tenant, p.pull_request, min(w.began_at) as started_at
    from on_branches p
    join work w on w.tenant = p.tenant and w.branch = p.branch
    where w.seen_at <= p.opened_at and (p.used_until is null or w.seen_at > p.used_until)
    group by 1, 2
  )
  select p.tenant, p.pull_request, p.repository, p.number, p.author_id, p.base_ref, p.branch, s.started_at,
    p.opened_at, p.closed_at, p.merged_at, p.merge_sha
  from on_branches p
  left join started s on s.tenant = p.tenant and s.pull_request = p.pull_request
$$;

create or replace view github_pull_requests with (security_invoker = true) as
  select * from read_github_pull_requests();

grant select on github_pull_requests to signalbox_reader, signalbox_worker;
