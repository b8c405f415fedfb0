-- release_outcomes: one row for each deployment_runs row that is a release, with what became of it. What
-- puts an earlier version back is no release but the end of one that failed.
--   failure       null for one that did well, else what shows that it needed intervention, as DORA has it:
--     failed          it came to failure; else the earliest of these three
--     rolled_back     an earlier version took its place
--     reverted        a pull request that went live with it was reverted by one that went live later
--     hotfixed        a pull request from a branch named hotfix… went live next, on top of it
--   restored_at   when production was well again: what next went live there after a failure; the earlier
--                 version, the revert or the hotfix going live
--   time_to_restore   from failed_at for `failed`, else from live_at, since nobody tells when it was seen
-- rolled_back, reverted and hotfixed count within 7 days of going live; what comes later is work of its own.
-- Under signalbox_reader it shows the rows of one tenant, as the tables do.
drop function if exists read_release_outcomes();
create function read_release_outcomes() returns table (
  tenant text, service text, environment text, environment_kind text, provider text, repository text,
  deployment text, attempt integer, sha text, started_at timestamptz, failed_at timestamptz,
  live_at timestamptz, live_number bigint, finished_at timestamptz, failure text, restored_at timestamptz,
  time_to_restore interval
)
-- The planner takes groups to be few, and would go through all of one side for each row of the other.
language sql stable rows 10000 set enable_nestloop = off set jit = off as $$
  with runs as materialized (
    select * from deployment_runs
  ), lives as (
    select tenant, service, environment, live_number, live_at, rollback,
      lag(release_number) over (
        partition by tenant, service, environment order by live_number) as in_place_of
    from runs where live_number is not null
  ), shipped as materialized (
    select d.*, p.branch from pull_request_deployments d
    left join github_pull_requests p using (tenant, pull_request)
  ), reverts as (
    select distinct c.tenant, c.from_entity as fix,
      replace(c.to_entity, 'github:issue:', 'github:pull_request:') as reverted
    from event_correlations c
    where c.relation = 'reverts' and c.strength = 'strong' and c.known_to = 'infinity'
      and c.from_entity like 'github:pull\_request:%' and c.to_entity like 'github:%#%'
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
    where s.branch ~* '@(.*/)?hot-?fix([^a-z]|$)'
  ), mended as (
    select distinct on (tenant, service, environment, release) m.*
    from mends m
    join lives l on l.tenant = m.tenant and l.service = m.service and l.environment = m.environment
      and l.live_number = m.release
    where m.mended_at <= l.live_at + interval '7 days'
    order by tenant, service, environment, release,
      m.mended_at, array_position(array['rolled_back', 'reverted', 'hotfixed'], m.failure)
  ), recovered as (
    select r.tenant, r.service, r.environment, r.deployment, r.attempt, r.failed_at, min(l.live_at) as restored_at
    from runs r
    join lives l on l.tenant = r.tenant and l.service = r.service and l.environment = r.environment
      and l.live_at > r.failed_at
    where r.failed_at is not null
    group by 1, 2, 3, 4, 5, 6
  ), judged as (
    select r.*, case when r.failed_at is not null then 'failed' else m.failure end as failure,
      case when r.failed_at is not null then f.restored_at else m.mended_at end as restored_at
    from runs r
    left join mended m on m.tenant = r.tenant and m.service = r.service and m.environment = r.environment
      and m.release = r.live_number
    left join recovered f on f.tenant = r.tenant and f.service = r.service and f.environment = r.environment
      and f.deployment = r.deployment and f.attempt = r.attempt and f.failed_at = r.failed_at
    where not r.rollback
  )
  select tenant, service, environment, environment_kind, provider, repository, deployment, attempt, sha, started_at,
    failed_at, live_at, live_number, finished_at, failure, restored_at,
    restored_at - coalesce(failed_at, live_at) as time_to_restore
  from judged
$$;

create or replace view release_outcomes with (security_invoker = true) as
  select * from read_release_outcomes();

grant select on release_outcomes to signalbox_reader, signalbox_worker;
