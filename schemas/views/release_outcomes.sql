-- release_outcomes: one row for each deployment_runs row that is a release, with what became of it. What
-- puts an earlier version back is no release but the end of one that failed.
--   failure       null for one that did well, else what shows that it needed intervention, as DORA has it:
--     failed          it came to failure; else the earliest of these three
--     rolled_back     an earlier version took its place
--     reverted        a pull request that went live with it was reverted by one that went live later
--     hotfixed        a pull request from a branch named hotfix, hotfix-…, hotfixes/… or the like went live
--                     next, on top of it
--   restored_at   when production was well again: what next went live there after a failure, or was said to
--                 be put back; the earlier version, the revert or the hotfix going live
--   time_to_restore   from failed_at for `failed`, else from live_at, since nobody tells when it was seen
-- rolled_back, reverted and hotfixed count within 7 days of going live; what comes later is work of its own.
-- Under signalbox_reader it shows the rows of one tenant, as the tables do.

-- The same of what came to an end at or after a time, and of environments of a name or kind, or one service,
-- where one is named. Of pull requests it looks at `only_these`, where any are named: whatever first went live
-- since then, and up to 7 days after what is asked about, has to be among them.
drop function if exists read_release_outcomes;
create function read_release_outcomes(
  ended_since timestamptz default '-infinity', only_environment text default null, only_service text default null,
  only_these text[] default null
) returns table (
  tenant text, service text, environment text, environment_kind text, provider text, repository text,
  deployment text, attempt integer, sha text, started_at timestamptz, failed_at timestamptz,
  live_at timestamptz, live_number bigint, finished_at timestamptz, failure text, restored_at timestamptz,
  time_to_restore interval
)
-- Planned for the values it is called with, so that what they leave out is not computed. Of groups the planner
-- thinks that they are few, and would go through all of one side for each row of the other; where that is
-- meant, it is written as lateral.
language plpgsql stable rows 10000
set plan_cache_mode = force_custom_plan set enable_nestloop = off set enable_mergejoin = off set jit = off
set work_mem = '32MB' set random_page_cost = 1.1 as $$
#variable_conflict use_column
declare
  hotfixes constant text[] := array(
    select distinct 'github:pull_request:' || repository || '#' || number from github_events
    where event_name like 'pull\_request%' and lower(ref) like '%hot%fix%' and ref ~* '(^|/)hot-?fix(es)?([^a-z]|$)'
      and (only_these is null or 'github:pull_request:' || repository || '#' || number = any(only_these)));
  -- No other pull request tells what became of a release.
  mending constant text[] := hotfixes || array(
    select unnest(array[c.from_entity, replace(c.to_entity, 'github:issue:', 'github:pull_request:')])
    from event_correlations c
    where c.relation = 'reverts' and c.strength = 'strong' and c.known_to = 'infinity'
      and c.from_entity like 'github:pull\_request:%' and c.to_entity like 'github:%#%'
      and (only_these is null or c.from_entity = any(only_these)));
begin
  return query
  with runs as materialized (
    select * from read_deployment_runs(ended_since, only_environment, only_service)
  ), lives as (
    select tenant, service, environment, deployment, live_number, live_at, rollback,
      lag(release_number) over (
        partition by tenant, service, environment order by live_number) as in_place_of
    from runs where live_number is not null
  ), shipped as materialized (
    select d.tenant, d.service, d.environment, d.pull_request, d.live_at, l.live_number
    from read_pull_request_deployments(
      mending, case when only_environment is not null then array[only_environment] end) d
    join lives l using (tenant, service, environment, deployment, live_at)
  ), reverts as (
    select distinct c.tenant, c.from_entity as fix,
      replace(c.to_entity, 'github:issue:', 'github:pull_request:') as reverted
    from event_correlations c
    where c.relation = 'reverts' and c.strength = 'strong' and c.known_to = 'infinity'
      and c.from_entity = any(mending) and c.to_entity like 'github:%#%'
  ), hotfix as (
    -- of which tenant
    select distinct tenant, 'github:pull_request:' || repository || '#' || number as pull_request
    from github_events
    where event_name like 'pull\_request%' and lower(ref) like '%hot%fix%' and ref ~* '(^|/)hot-?fix(es)?([^a-z]|$)'
      and 'github:pull_request:' || repository || '#' || number = any(hotfixes)
  ), mends as (
    select tenant, service, environment, in_place_of as release, 'rolled_back' as failure, live_at as mended_at
    from lives where rollback
    union all
    select broken.tenant, broken.service, broken.environment, broken.live_number, 'reverted', fix.live_at
    from reverts r
    join shipped fix on fix.tenant = r.tenant and fix.pull_request = r.fix
    join shipped broken on broken.tenant = r.tenant and broken.pull_request = r.reverted
      and broken.service = fix.service and broken.environment = fix.environment
      and broken.live_number < fix.live_number
    -- Landing again what was reverted does not say that the revert was broken
    where not exists (select from reverts again where again.tenant = r.tenant and again.fix = r.reverted)
    union all
    select l.tenant, l.service, l.environment, l.in_place_of, 'hotfixed', l.live_at
    from lives l
    join shipped s using (tenant, service, environment, live_number)
    join hotfix h using (tenant, pull_request)
  ), mended as (
    select distinct on (tenant, service, environment, release) m.*
    from mends m
    join lives l on l.tenant = m.tenant and l.service = m.service and l.environment = m.environment
      and l.live_number = m.release
    where m.mended_at <= l.live_at + interval '7 days'
    order by tenant, service, environment, release,
      m.mended_at, array_position(array['rolled_back', 'reverted', 'hotfixed'], m.failure)
  ), recovered as (
    select * from (
      select tenant, service, environment, failed_at, min(live_at) over (
          partition by tenant, service, environment order by coalesce(failed_at, live_at) desc
          range between unbounded preceding and interval '1 microsecond' preceding) as restored_at
      from (
        select distinct tenant, service, environment, failed_at, null::timestamptz as live_at
        from runs where failed_at is not null
        union all
        select tenant, service, environment, null, live_at from lives
        union all
        select distinct tenant, service, environment, null::timestamptz, put_back_at from runs where put_back_at is not null
      ) as turns
    ) as next where failed_at is not null
  ), judged as (
    select r.*, case when r.failed_at is not null then 'failed' else m.failure end as failure,
      case when r.failed_at is not null then f.restored_at else m.mended_at end as restored_at
    from runs r
    left join mended m on m.tenant = r.tenant and m.service = r.service and m.environment = r.environment
      and m.release = r.live_number
    left join recovered f on f.tenant = r.tenant and f.service = r.service and f.environment = r.environment
      and f.failed_at = r.failed_at
    where not r.rollback
  )
  select tenant, service, environment, environment_kind, provider, repository, deployment, attempt, sha, started_at,
    failed_at, live_at, live_number, finished_at, failure, restored_at,
    restored_at - coalesce(failed_at, live_at) as time_to_restore
  from judged
  where finished_at >= ended_since;
end $$;

create or replace view release_outcomes with (security_invoker = true) as
  select * from read_release_outcomes();

grant select on release_outcomes to signalbox_reader, signalbox_worker;
