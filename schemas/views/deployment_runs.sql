-- deployment_runs: one row for each time that something was deployed and went live, or failed.
--   service, environment    where (see deployment_places)
--   live_at       when it went live; null where it never did
--   live_number   its place among what went live there, from 1; null as above
--   failed_at     when it first came to failure; one that went live later (another try) has both
--   finished_at   the earlier of both
--   rollback      what went live had been there before what it took the place of
--   release_number    the live_number with which this version went live first, there
--   put_back_at   when it was rolled back without having gone live: the earlier version was there all the time
-- States told twice change nothing, nor does their order of arrival: all goes by the sender's clock. A
-- deployment that goes live, gives way and goes live again has a row for each time. One that never went live
-- and is rolled back puts nothing there, where it failed and names no commit, or names the one that is live.
-- What is rolled back names no commit by the one that itself failed with, or has live: sha is null then.
-- Previews are left out: each of them is a place of its own, and none is a release.
-- Under signalbox_reader it shows the rows of one tenant, as the tables do.

-- The same of what went live, failed or was rolled back at or after a time, and besides of what was rolled back
-- without having gone live or failed, whose finished_at is null. Of environments of a name or kind, or one
-- service, where one is named. The numbers then count from whatever was looked at before that time.
drop function if exists read_deployment_runs;
create function read_deployment_runs(
  ended_since timestamptz default '-infinity', only_environment text default null, only_service text default null
) returns table (
  tenant text, service text, environment text, environment_kind text, provider text, repository text,
  deployment text, attempt integer, sha text, started_at timestamptz, failed_at timestamptz,
  live_at timestamptz, live_number bigint, finished_at timestamptz, rollback boolean, release_number bigint,
  put_back_at timestamptz
)
-- Planned for the values it is called with, so that what they leave out is not computed. Of groups the planner
-- thinks that they are few, and would go through all of one side for each row of the other; where that is
-- meant, it is written as lateral.
language plpgsql stable rows 10000
set plan_cache_mode = force_custom_plan set enable_nestloop = off set enable_mergejoin = off set jit = off
set work_mem = '32MB' set random_page_cost = 1.1 as $$
#variable_conflict use_column
begin
  return query
  with told as (
    select s.tenant, s.service, s.environment, p.environment_kind, s.event_id, s.deployment, s.status, s.at,
      case when s.status = 'rolled_back' and (
        -- whether it failed, and with the same commit
        select bool_or(o.status = 'failure')
          and bool_or(o.status <> 'rolled_back' and (starts_with(o.sha, s.sha) or starts_with(s.sha, o.sha)))
        from deployment_states o
        where o.tenant = s.tenant and o.deployment = s.deployment and o.service = s.service
          and o.environment = s.environment and o.branch = '' and o.at <= s.at
        having not bool_or(o.status = 'success')
      ) then null else s.sha end as sha,
      s.repository, case when s.status = 'rolled_back' then (
        -- of what was never live before: whether it failed
        select bool_or(o.status = 'failure') from deployment_states o
        where o.tenant = s.tenant and o.deployment = s.deployment and o.service = s.service
          and o.environment = s.environment and o.branch = '' and o.at <= s.at
        having not bool_or(o.status = 'success')
      ) end as failed_before
    from deployment_states s
    join deployment_places p on p.tenant = s.tenant and p.service = s.service and p.environment = s.environment
    where s.branch = '' and (only_environment is null or only_environment in (p.environment, p.environment_kind))
      and (only_service is null or p.service = only_service)
  ), recent as (
    select distinct tenant, service, environment, deployment, sha from told where at >= ended_since
  ), compared_with as (
    -- what a run is judged by: its own states, those of the same commit, and what was live before the first
    select tenant, service, environment, deployment from recent
    union
    select t.tenant, t.service, t.environment, t.deployment from told t
    join (select distinct tenant, service, environment, sha from recent) as r using (tenant, service, environment, sha)
    union
    select t.tenant, t.service, t.environment, t.deployment from told t
    join (
      select tenant, service, environment, max(at) as at from told
      where at < ended_since and status in ('success', 'rolled_back') and (sha is not null or failed_before is not true)
      group by 1, 2, 3
    ) as last using (tenant, service, environment, at)
  ), states as materialized (
    select t.tenant, t.service, t.environment, t.environment_kind, d.provider, t.repository, t.deployment,
      coalesce(d.attempt, 1) as attempt, t.sha, t.status, t.at, t.failed_before
    from told t
    left join deployment_events d on d.event_id = t.event_id
    where ended_since = '-infinity'
      or (t.tenant, t.service, t.environment, t.deployment) in (select * from compared_with)
  ), runs as (
    select tenant, service, environment, deployment, attempt, max(environment_kind) as environment_kind,
      max(provider) as provider, max(repository) as repository,
      max(sha) filter (where status <> 'rolled_back') as sha,
      min(at) filter (where status in ('queued', 'in_progress')) as started_at,
      min(at) filter (where status = 'failure') as failed_at
    from states group by 1, 2, 3, 4, 5
  ), successes as (
    select s.tenant, s.service, s.environment, s.deployment, s.attempt, s.at, s.status = 'rolled_back' as put_back,
      case when s.status = 'rolled_back' then s.sha else coalesce(s.sha, r.sha) end as sha,
      s.status, s.failed_before
    from states s
    join runs r using (tenant, service, environment, deployment, attempt)
    where s.status in ('success', 'rolled_back') and (s.sha is not null or s.failed_before is not true)
  ), beside_last as (
    select *, coalesce(failed_before is not null and lag(deployment) over here is not null and coalesce(
        starts_with(lag(sha) over here, sha) or starts_with(sha, lag(sha) over here), failed_before), false) as is_there
    from successes
    window here as (partition by tenant, service, environment
      order by at, length(deployment), deployment, attempt, status, sha)
  ), turns as (
    select tenant, service, environment, deployment, attempt, at, put_back,
      case when put_back and lag(deployment) over here = deployment and lag(status) over here = 'success'
        and (starts_with(lag(sha) over here, sha) or starts_with(sha, lag(sha) over here)) then null else sha end as sha,
      lag((deployment, attempt, put_back)) over here is distinct from (deployment, attempt, put_back) as goes_live
    from beside_last where not is_there
    window here as (partition by tenant, service, environment
      order by at, length(deployment), deployment, attempt, status, sha)
  ), undone as (
    select tenant, service, environment, deployment, attempt, min(at) as put_back_at from (
      select tenant, service, environment, deployment, attempt, at from beside_last where is_there
      union all
      select tenant, service, environment, deployment, attempt, at from states where failed_before and sha is null
    ) as put_back group by 1, 2, 3, 4, 5
  ), lives as (
    select *, row_number() over here as live_number,
      row_number() over (partition by tenant, service, environment, deployment, attempt
        order by at, put_back) as time_live,
      case when sha is not null then min(at) over (partition by tenant, service, environment, sha)
        when put_back then '-infinity' -- older than whatever follows
        else at end as version_since
    from turns where goes_live
    window here as (partition by tenant, service, environment
      order by at, length(deployment), deployment, attempt, put_back)
  ), compared as (
    select *, put_back or version_since < lag(version_since) over (
        partition by tenant, service, environment order by live_number) as rollback
    from lives
  ), numbered as (
    select *, case when sha is null then case when not coalesce(rollback, false) then live_number end
      else max(live_number) filter (where not coalesce(rollback, false)) over (
        partition by tenant, service, environment, sha order by live_number) end as release_number
    from compared
  )
  select r.tenant, r.service, r.environment, r.environment_kind, r.provider, r.repository, r.deployment, r.attempt,
    case when n.live_number is null then r.sha else n.sha end as sha,
    case when coalesce(n.time_live, 1) = 1 then r.started_at end as started_at,
    case when coalesce(n.time_live, 1) = 1 then r.failed_at end as failed_at,
    n.at as live_at, n.live_number,
    case when coalesce(n.time_live, 1) = 1 then least(r.failed_at, n.at) else n.at end as finished_at,
    coalesce(n.rollback, false) as rollback, n.release_number, u.put_back_at
  from runs r
  left join numbered n using (tenant, service, environment, deployment, attempt)
  left join undone u using (tenant, service, environment, deployment, attempt)
  where greatest(coalesce(n.at, r.failed_at), u.put_back_at) >= ended_since;
end $$;

create or replace view deployment_runs with (security_invoker = true) as
  select * from read_deployment_runs() where finished_at is not null;

grant select on deployment_runs to signalbox_reader, signalbox_worker;
