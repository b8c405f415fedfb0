-- github_pull_requests: one row for each pull request, as its events tell of it.
--   opened_at, merged_at, merge_sha   by GitHub's own record, which every event of it carries: an opening
--                 that never came is known all the same
--   base_ref      the branch it is for, as it was last said
--   head_ref      name of its own branch
--   closed_at     null while it is open, as it was last said; merging closes for good
--   first_review_at   first review by a person who is not the author, before it was merged
--   branch        key of its head branch; null for a branch that much other work passes through
--   started_at    when work on it is first seen: the creation of its branch, or the earliest time that a
--                 commit bears which was pushed there before it was opened. Null where neither was seen.
--                 Of a branch that is used again, only what came after its last pull request was closed.
-- Under signalbox_reader it shows the rows of one tenant, as the tables do.

-- The same of some pull requests, by their keys; of all where none are named.
drop function if exists read_github_pull_requests;
create function read_github_pull_requests(only_these text[] default null) returns table (
  tenant text, pull_request text, repository text, number bigint, author_id text, base_ref text, head_ref text,
  branch text, started_at timestamptz, opened_at timestamptz, first_review_at timestamptz, closed_at timestamptz,
  merged_at timestamptz, merge_sha text
)
-- Planned for the values it is called with, so that what they leave out is not computed. Of groups the planner
-- thinks that they are few, and would go through all of one side for each row of the other; where that is
-- meant, it is written as lateral.
language plpgsql stable rows 10000
set plan_cache_mode = force_custom_plan set enable_nestloop = off set enable_mergejoin = off set jit = off
set work_mem = '32MB' set random_page_cost = 1.1 as $$
#variable_conflict use_column
declare
  -- Where a branch is used again, what came before counts too.
  along text[];
begin
  if only_these is not null then
    along := array(
      select from_entity from event_correlations
      where relation = 'head_branch' and strength = 'strong' and known_to = 'infinity' and to_entity = any(array(
        select to_entity from event_correlations
        where relation = 'head_branch' and strength = 'strong' and known_to = 'infinity'
          and from_entity = any(only_these)))
      union
      select unnest(only_these));
  end if;
  return query
  with told as materialized (
    select g.tenant, g.repository, g.number, g.author_id, g.base_ref, g.ref, g.opened_at, g.closed_at,
      g.merged_at, g.merge_sha, l.occurred_at, g.sender_id,
      case when g.event_name = 'pull_request_review' and g.action = 'submitted' then g.event_id end as review,
      -- What is deleted has no time but that of its coming, which may be long after.
      row_number() over (partition by g.tenant, g.repository, g.number
        order by g.action is not distinct from 'deleted', l.occurred_at desc, l.tie desc,
          g.closed_at, g.base_ref) = 1 as newest
    from event_log l
    cross join lateral (select * from github_events e where e.event_id = l.event_id offset 0) as g
    where l.entity like 'github:pull\_request:%' and g.event_name like 'pull\_request%'
      and g.repository is not null and g.number is not null and g.opened_at is not null and (along is null or l.entity = any(along))
  ), facts as materialized (
    select tenant, 'github:pull_request:' || repository || '#' || number as pull_request, repository, number,
      max(author_id) as author_id, max(base_ref) filter (where newest) as base_ref,
      max(ref) filter (where newest) as head_ref, min(opened_at) as opened_at,
      case when count(merged_at) > 0 then max(closed_at) else max(closed_at) filter (where newest) end as closed_at,
      min(merged_at) as merged_at, max(merge_sha) as merge_sha
    from told group by tenant, repository, number
  ), reviews as (
    select f.tenant, f.pull_request, min(t.occurred_at) as first_review_at
    from told t
    join facts f on f.tenant = t.tenant and f.repository = t.repository and f.number = t.number
    cross join lateral (
      select from events e where e.id = t.review and e.actor_bot is false offset 0
    ) as by_a_person
    where t.review is not null and t.sender_id is distinct from f.author_id and t.occurred_at >= f.opened_at
      and (f.merged_at is null or t.occurred_at <= f.merged_at)
    group by 1, 2
  ), branches as (
    select tenant, from_entity as pull_request, min(to_entity) as branch
    from event_correlations
    where relation = 'head_branch' and strength = 'strong' and known_to = 'infinity'
      and (along is null or from_entity = any(along))
    group by 1, 2
  ), on_branches as materialized (
    select f.*, b.branch, substr(b.branch, length('github:branch:') + 1) as place, max(f.closed_at) over (
        partition by f.tenant, b.branch order by f.opened_at
        rows between unbounded preceding and 1 preceding) as used_until
    from facts f
    left join branches b on b.tenant = f.tenant and b.pull_request = f.pull_request
  ), pushed as (
    select p.tenant, p.pull_request, w.event_id, w.at
    from (
      select *, overlay(place placing '@refs/heads/' from strpos(place, '@') for 1) as line from on_branches
      where branch is not null
    ) as p
    join pushes w on w.tenant = p.tenant and w.line = p.line and w.after_sha is not null
    where w.at <= p.opened_at and (p.used_until is null or w.at > p.used_until)
  ), started as (
    select tenant, pull_request, min(began_at) as started_at from (
      select w.tenant, w.pull_request, least(g.first_commit_at, w.at) as began_at
      from pushed w
      left join lateral (
        select e.first_commit_at from github_events e where e.event_id = w.event_id offset 0
      ) as g on true
      union all
      select p.tenant, p.pull_request, l.occurred_at
      from on_branches p
      join event_log l on l.tenant = p.tenant and l.entity = p.branch and l.type = 'github.create.created'
      where l.occurred_at <= p.opened_at and (p.used_until is null or l.occurred_at > p.used_until)
    ) as begun group by 1, 2
  )
  select p.tenant, p.pull_request, p.repository, p.number, p.author_id, p.base_ref, p.head_ref, p.branch,
    s.started_at, p.opened_at, r.first_review_at, p.closed_at, p.merged_at, p.merge_sha
  from on_branches p
  left join started s on s.tenant = p.tenant and s.pull_request = p.pull_request
  left join reviews r on r.tenant = p.tenant and r.pull_request = p.pull_request
  where only_these is null or p.pull_request = any(only_these);
end $$;

create or replace view github_pull_requests with (security_invoker = true) as
  select * from read_github_pull_requests();

grant select on github_pull_requests to signalbox_reader, signalbox_worker;
