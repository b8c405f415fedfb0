-- pull_request_deployments: one row for each pull request and place (service and environment) that it has
-- gone live at: the first time that it did.
--   deployment, live_number   which went live with it; deployment_runs has the whole of it
--   live_at       when, by the deploying tool's clock
-- A deployment has a pull request in it where
--   · its sender says so (`ships`),
--   · its commit is the one that the pull request was merged as, or one that is known as its merge, squash
--     or pick by its message, or came in the same push as one of these, or
--   · its commit stands on a branch that the merge is on too, no earlier than the merge, and what first went
--     live at this place was earlier on that branch than the merge. So the first deployment that is known
--     of a place takes in none of the years before it.
-- When a commit came on a branch is told by pushes, or by the merge where no push told, both by GitHub's
-- clock. That tells seconds: of pushes of one second, each comes after the one it was pushed onto, and a merge
-- without a push after all of them. Branches that were forced, or stand on other branches, are followed by
-- GET /entities/:key/status alone: what is live is its question, and when it first was is the one here.
-- Under signalbox_reader it shows the rows of one tenant, as the tables do.

-- The same of some pull requests, by their keys, and of environments of some names or kinds; of all where none
-- are named. It knows no numbers.
drop function if exists read_pull_request_deployments;
create function read_pull_request_deployments(only_these text[] default null, only_environments text[] default null)
returns table (
  tenant text, pull_request text, service text, environment text, environment_kind text, deployment text,
  live_at timestamptz
)
-- Planned for the values it is called with, so that what they leave out is not computed. Of groups the planner
-- thinks that they are few, and would go through all of one side for each row of the other; where that is
-- meant, it is written as lateral.
language plpgsql stable rows 10000
set plan_cache_mode = force_custom_plan set enable_nestloop = off set enable_mergejoin = off set jit = off
set work_mem = '32MB' set random_page_cost = 1.1 as $$
#variable_conflict use_column
declare
  mentioned text[] := only_these || array(
    select replace(one, 'github:pull_request:', 'github:issue:') from unnest(only_these) as one);
  -- What some pull requests went live with is among what went live after they were merged (by clocks that differ
  -- by a day at most), the commits that they landed as, and what says that it ships them.
  merged_since timestamptz := '-infinity';
  commits_of text[];
  shipping text[];
begin
  if only_these is not null then
    select coalesce(min(merged_at), 'infinity') - interval '1 day' into merged_since
    from merged_pull_requests where pull_request = any(only_these);
    commits_of := array(
      select sha from merged_pull_requests where pull_request = any(only_these)
      union
      select substr(from_entity, length('github:commit:') + 1) from event_correlations
      where relation = 'merge_of' and strength = 'strong' and known_to = 'infinity' and to_entity = any(mentioned));
    commits_of := array(
      select left(sha, 7) from unnest(commits_of) as sha
      union
      select left(after_sha, 7) from pushed_commits where sha = any(commits_of));
    shipping := array(
      select from_entity from event_correlations
      where relation = 'ships' and strength = 'strong' and known_to = 'infinity' and to_entity = any(only_these));
  end if;
  return query
  with told as (
    select s.tenant, s.service, s.environment, p.environment_kind, s.deployment, s.status, s.at as live_at,
      case when s.sha is null and s.status = 'success' then (
        select max(o.sha) from deployment_states o
        where o.tenant = s.tenant and o.deployment = s.deployment and o.service = s.service
          and o.environment = s.environment and o.branch = '' and o.status <> 'rolled_back'
      ) else s.sha end as sha,
      coalesce(s.repository, (
        select max(o.repository) from deployment_states o
        where o.tenant = s.tenant and o.deployment = s.deployment and o.service = s.service
          and o.environment = s.environment and o.branch = ''
      )) as repository
    from deployment_states s
    join deployment_places p on p.tenant = s.tenant and p.service = s.service and p.environment = s.environment
    where s.branch = '' and (s.status = 'success' or s.status = 'rolled_back' and (
        -- what failed before it went live, and was rolled back, brings nothing
        select bool_or(o.status = 'success') or not bool_or(o.status = 'failure') from deployment_states o
        where o.tenant = s.tenant and o.deployment = s.deployment and o.service = s.service
          and o.environment = s.environment and o.branch = '' and o.at <= s.at))
      and (only_environments is null or array[p.environment, p.environment_kind] && only_environments)
  ), lives as materialized (
    select *, row_number() over (partition by tenant, service, environment
        order by live_at, length(deployment), deployment, status, sha) as nth
    from told
    where only_these is null or live_at >= merged_since or left(sha, 7) = any(commits_of) or deployment = any(shipping)
  ), merged as materialized (
    select tenant, pull_request, max(base_line) as line, max(sha) as sha, min(merged_at) as at
    from merged_pull_requests
    where only_these is null or pull_request = any(only_these)
    group by tenant, pull_request
  ), crowded as materialized (
    -- pushes that came to a line in the same second as others, one of the merges among them
    select p.tenant, p.line, p.at, p.event_id, p.before_sha, p.after_sha
    from pushes p
    join (
      select tenant, line, at from pushes
      where at >= merged_since and (tenant, line, at) in (
        select c.tenant, c.line, c.at from merged m join pushed_commits c on c.tenant = m.tenant and c.sha = m.sha
        where c.at >= merged_since)
      group by 1, 2, 3 having count(*) > 1
    ) as second using (tenant, line, at)
    where p.at >= merged_since
  ), pushed_onto as materialized (
    -- which push the next of its second was pushed onto
    select p.event_id, q.event_id as next
    from crowded p
    join crowded q using (tenant, line, at)
    where p.after_sha = q.before_sha and p.event_id <> q.event_id
  ), steps as (
    with recursive step (event_id, number) as (
      select event_id, 0 from pushed_onto
      union
      select o.next, s.number + 1 from step s join pushed_onto o using (event_id) where s.number < 100
    )
    select event_id, max(number) as number from step group by 1
  ), commits as (
    select c.tenant, c.line, c.sha, c.after_sha, c.at + coalesce(s.number, 0) * interval '1 millisecond'
      + least(c.ordinal, 999) * interval '1 microsecond' as at
    from pushed_commits c
    left join steps s using (event_id)
    where c.at >= merged_since
  ), standing as not materialized (
    -- where commits stand on a line (a ref of a repository), as far as it may be after the merges
    select tenant, line, sha, at, true as pushed from commits
    union all
    select tenant, base_line, sha, merged_at + interval '999999 microseconds', false
    from merged_pull_requests where base_line is not null and merged_at >= merged_since
  ), live_places as materialized (
    -- SHAs of deployments may be abbreviated to seven digits
    select l.tenant, l.service, l.environment, l.nth, s.line, coalesce(min(s.at) filter (where s.pushed), min(s.at)) as at
    from lives l
    join standing s on s.tenant = l.tenant and left(s.sha, 7) = left(l.sha, 7) and starts_with(s.sha, l.sha)
      and (l.repository is null or l.repository = split_part(s.line, '@', 1))
    group by 1, 2, 3, 4, 5
  ), merges as (
    select m.tenant, m.pull_request, s.line, coalesce(min(s.at) filter (where s.pushed), min(s.at)) as at
    from merged m
    join standing s on s.tenant = m.tenant and s.sha = m.sha
    group by 1, 2, 3
  ), lines as materialized (
    select l.tenant, l.service, l.environment, l.line, (array_agg(l.at order by l.nth))[1] as first_at
    from live_places l
    join (select distinct tenant, line from merges) as m using (tenant, line)
    group by 1, 2, 3, 4
  ), begun as materialized (
    -- lines that something stood on before, which went live there before: mostly what went live first
    select distinct p.tenant, p.service, p.environment, c.line
    from deployment_places p
    cross join lateral (
      select d.sha, d.sha || 'g' as beyond, d.repository from deployment_states d
      where d.tenant = p.tenant and d.service = p.service and d.environment = p.environment and d.branch = ''
        and d.status in ('success', 'rolled_back') and d.at < merged_since
      order by d.at limit 10
    ) as f
    cross join lateral (
      select c.line from pushed_commits c
      where c.tenant = p.tenant and c.sha >= f.sha and c.sha < f.beyond and c.at < merged_since
        and (f.repository is null or f.repository = split_part(c.line, '@', 1))
      offset 0
    ) as c
    where only_these is not null
  ), begun_later as (
    select distinct l.tenant, l.service, l.environment, l.line
    from (
      select tenant, service, environment, line from lines
      except
      select * from begun
    ) as l
    join (
      select tenant, line, sha, at from pushed_commits
      union all
      select tenant, base_line, sha, merged_at from merged_pull_requests
    ) as s on s.tenant = l.tenant and s.line = l.line and s.at < merged_since
    join told t on t.tenant = l.tenant and t.service = l.service and t.environment = l.environment
      and left(t.sha, 7) = left(s.sha, 7) and starts_with(s.sha, t.sha) and t.live_at < merged_since
    where only_these is not null
  ), in_order as (
    -- the least number among what stands as late on the line as the merge, or later
    select tenant, service, environment, pull_request, min(nth) over (
        partition by tenant, service, environment, line order by at desc) as nth
    from (
      select tenant, service, environment, line, at, nth, null as pull_request from live_places
      union all
      select l.tenant, l.service, l.environment, l.line, m.at, null, m.pull_request
      from lines l
      left join (select * from begun union select * from begun_later) as b using (tenant, service, environment, line)
      join merges m on m.tenant = l.tenant and m.line = l.line and (b.line is not null or m.at > l.first_at)
    ) as on_line
  ), landed as materialized (
    select tenant, pull_request, sha from merged
    union
    -- what is mentioned as issue #42 here is the pull request of that number
    select tenant, replace(to_entity, 'github:issue:', 'github:pull_request:'),
      substr(from_entity, length('github:commit:') + 1)
    from event_correlations
    where relation = 'merge_of' and strength = 'strong' and known_to = 'infinity'
      and (mentioned is null or to_entity = any(mentioned))
  ), landed_heads as (
    select tenant, pull_request, sha from landed
    union
    select a.tenant, a.pull_request, p.after_sha
    from landed a
    join pushed_commits p on p.tenant = a.tenant and p.sha = a.sha
  ), found as (
    select tenant, service, environment, pull_request, nth from in_order
    where pull_request is not null
    union all
    select l.tenant, l.service, l.environment, h.pull_request, l.nth
    from lives l
    join landed_heads h on h.tenant = l.tenant and left(h.sha, 7) = left(l.sha, 7) and starts_with(h.sha, l.sha)
    union all
    select l.tenant, l.service, l.environment, c.to_entity, l.nth
    from lives l
    join event_correlations c on c.tenant = l.tenant and c.from_entity = l.deployment
      and c.relation = 'ships' and c.strength = 'strong' and c.known_to = 'infinity'
      and c.to_entity like 'github:pull\_request:%' and (only_these is null or c.to_entity = any(only_these))
  ), firsts as (
    select tenant, service, environment, pull_request, min(nth) as nth
    from found where nth is not null group by 1, 2, 3, 4
  )
  select f.tenant, f.pull_request, f.service, f.environment, l.environment_kind, l.deployment, l.live_at
  from firsts f
  join lives l using (tenant, service, environment, nth);
end $$;

-- Keys of all pull requests that may have gone live first between two times, in environments of some names or
-- kinds, and of some more: so that no others need be looked at.
drop function if exists pull_requests_live_between;
create function pull_requests_live_between(since timestamptz, before timestamptz, only_environments text[])
returns text[]
-- Planned for the values it is called with, so that what they leave out is not computed. Of groups the planner
-- thinks that they are few, and would go through all of one side for each row of the other; where that is
-- meant, it is written as lateral.
language plpgsql stable
set plan_cache_mode = force_custom_plan set enable_nestloop = off set enable_mergejoin = off set jit = off
set work_mem = '32MB' set random_page_cost = 1.1 as $$
#variable_conflict use_column
declare
  shipping constant text[] := array(
    select distinct s.deployment from deployment_states s
    where s.branch = '' and s.at >= since and s.at < before and s.status in ('success', 'rolled_back'));
  landed text[];
  found text[];
begin
  with told as (
    select s.tenant, s.service, s.environment, s.deployment, s.status, s.at, s.sha,
      s.sha || 'g' as beyond -- the commits that it abbreviates are before that
    from deployment_states s
    join deployment_places p on p.tenant = s.tenant and p.service = s.service and p.environment = s.environment
    where s.branch = '' and s.sha is not null and array[p.environment, p.environment_kind] && only_environments
  ), lives as (
    select distinct tenant, service, environment, sha, beyond from told where deployment = any(shipping)
  ), live_commits as materialized (
    select l.service, l.environment, l.tenant, c.*
    from lives l
    cross join lateral (
      select line, sha, at, after_sha, event_id from pushed_commits
      where tenant = l.tenant and sha >= l.sha and sha < l.beyond offset 0
    ) as c
  ), lately as (
    -- of what was live before, the last of each place, and where that stands
    select t.tenant, t.service, t.environment, c.line, max(c.at) as at
    from (
      select *, row_number() over (partition by tenant, service, environment order by at desc) as nth from told
      where at < since and at >= since - interval '30 days' and status in ('success', 'rolled_back')
    ) as t
    cross join lateral (
      select line, at from pushed_commits where tenant = t.tenant and sha >= t.sha and sha < t.beyond offset 0
    ) as c
    where t.nth <= 20
    group by 1, 2, 3, 4
  ), lines as (
    -- A merge from before what was live then is none that goes live now.
    select tenant, line, min(low) as low, max(high) as high from (
      select c.tenant, c.line, c.at as high, coalesce(l.at, '-infinity') as low
      from live_commits c
      left join lately l using (tenant, service, environment, line)
    ) as ranges group by 1, 2
  ), commits as (
    select tenant, sha from live_commits
    union
    select tenant, sha from lives
    union
    select w.tenant, c.sha
    from (select distinct tenant, event_id from live_commits where after_sha = sha) as w
    cross join lateral (
      select sha from pushed_commits where tenant = w.tenant and event_id = w.event_id offset 0
    ) as c
    union
    select c.tenant, c.sha from pushed_commits c
    join lines l on l.tenant = c.tenant and l.line = c.line and c.at >= l.low and c.at <= l.high
  ), merged as (
    select m.pull_request from merged_pull_requests m
    join lives l on l.tenant = m.tenant and left(l.sha, 7) = left(m.sha, 7) and starts_with(m.sha, l.sha)
    union
    select m.pull_request from merged_pull_requests m
    join lines l on l.tenant = m.tenant and l.line = m.base_line and m.merged_at >= l.low
      and m.merged_at <= l.high + interval '1 second'
  )
  select (select array_agg(sha) from commits), (select array_agg(pull_request) from merged) into landed, found;
  return array(
    select unnest(found)
    union
    select pull_request from merged_pull_requests where sha = any(landed)
    union
    select replace(to_entity, 'github:issue:', 'github:pull_request:') from event_correlations
    where relation = 'merge_of' and strength = 'strong' and known_to = 'infinity'
      and from_entity = any(array(select 'github:commit:' || sha from unnest(landed) as sha))
    union
    select to_entity from event_correlations
    where relation = 'ships' and strength = 'strong' and known_to = 'infinity' and from_entity = any(shipping)
      and to_entity like 'github:pull\_request:%');
end $$;

create or replace view pull_request_deployments with (security_invoker = true) as
  select d.tenant, d.pull_request, d.service, d.environment, d.environment_kind, d.deployment, r.live_number, d.live_at
  from read_pull_request_deployments() d
  left join (
    select tenant, service, environment, deployment, live_at, min(live_number) as live_number
    from deployment_runs where live_number is not null group by 1, 2, 3, 4, 5
  ) as r using (tenant, service, environment, deployment, live_at);

grant select on pull_request_deployments to signalbox_reader, signalbox_worker;
