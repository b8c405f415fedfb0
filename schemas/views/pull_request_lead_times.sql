-- pull_request_lead_times: one row for each pull request, from its first commit to production.
--   started_at, first_review_at    first commit or branch, and first review (see github_pull_requests)
--   deployed_at       when it first went live in production (see pull_request_deployments); an environment
--                     is production by its kind
--   coding = opened − started, pickup = first review − opened, review = merged − first review,
--   deploy = deployed − merged, lead_time = deployed − started
-- Each is null where one of its ends is unknown. No clock's skew makes one negative: a commit's time that
-- is later than its push counts as the push, a deployment that is earlier than the merge as the merge, and
-- everything else is by GitHub's clock. Where all four are known they add up to lead_time.
-- Under signalbox_reader it shows the rows of one tenant, as the tables do.

-- The same of some pull requests, by their keys; of all where none are named.
drop function if exists read_pull_request_lead_times;
create function read_pull_request_lead_times(only_these text[] default null) returns table (
  tenant text, pull_request text, repository text, number bigint, author_id text, started_at timestamptz,
  opened_at timestamptz, first_review_at timestamptz, merged_at timestamptz, closed_at timestamptz,
  deployed_at timestamptz, service text, environment text, environment_kind text, deployment text,
  coding interval, pickup interval, review interval, deploy interval, lead_time interval
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
  with deployed as (
    select distinct on (tenant, pull_request) *
    from read_pull_request_deployments(only_these, array['production']) where environment_kind = 'production'
    order by tenant, pull_request, live_at, service, environment
  )
  select p.tenant, p.pull_request, p.repository, p.number, p.author_id, p.started_at, p.opened_at,
    p.first_review_at, p.merged_at, p.closed_at, d.live_at as deployed_at, d.service, d.environment,
    d.environment_kind, d.deployment,
    p.opened_at - p.started_at as coding,
    p.first_review_at - p.opened_at as pickup,
    p.merged_at - p.first_review_at as review,
    -- greatest() passes over null
    case when d.live_at is not null then greatest(d.live_at, p.merged_at) - p.merged_at end as deploy,
    case when d.live_at is not null and p.merged_at is not null
      then greatest(d.live_at, p.merged_at) - p.started_at end as lead_time
  from read_github_pull_requests(only_these) p
  left join deployed d on d.tenant = p.tenant and d.pull_request = p.pull_request;
end $$;

create or replace view pull_request_lead_times with (security_invoker = true) as
  select * from read_pull_request_lead_times();

grant select on pull_request_lead_times to signalbox_reader, signalbox_worker;
