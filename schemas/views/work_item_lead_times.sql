-- work_item_lead_times: one row for each issue (of Linear or GitHub) that a pull request implements, from
-- its creation to production, over all pull requests that do.
--   pull_requests, merged, deployed    how many: in all, and of these; a pull request counts once
--   open          how many are neither merged nor closed
--   created_at    null where its creation was not seen
--   started_at    the earliest of any of them; null unless each of them has one
--   opened_at, first_review_at    the earliest of any of them; a review after the last merge is none
--   merged_at     the last merge, once none is open; deployed_at the last deployment, once all merged are
-- An issue is shown under its newest identifier, whichever of its names a pull request goes by.
-- waiting = started − created; coding, pickup, review, deploy and lead_time (deployed − created) as in
-- pull_request_lead_times, over the times above; work that began before its issue waited for nothing.
-- Under signalbox_reader it shows the rows of one tenant, as the tables do.
drop function if exists read_work_item_lead_times();
create function read_work_item_lead_times() returns table (
  tenant text, issue text, pull_requests bigint, merged bigint, open bigint, deployed bigint,
  created_at timestamptz, started_at timestamptz, opened_at timestamptz, first_review_at timestamptz,
  merged_at timestamptz, deployed_at timestamptz, waiting interval, coding interval, pickup interval,
  review interval, deploy interval, lead_time interval
)
-- The planner takes groups to be few, and would go through all of one side for each row of the other.
language sql stable rows 10000 set enable_nestloop = off set jit = off as $$
  with identified as (
    select tenant, from_entity as issue, to_entity as id, max(occurred_at) as at from event_correlations
    where relation = 'same_as' and strength = 'strong' and known_to = 'infinity'
      and from_entity like 'linear:issue:%' and to_entity like 'linear:issue\_id:%'
    group by 1, 2, 3
  ), newest as (
    select distinct on (tenant, id) tenant, id, issue from identified order by tenant, id, at desc, issue desc
  ), names as (
    -- by its UUID, or by an identifier that it had before it was moved to another team
    select tenant, alias, max(issue) as issue from (
      select tenant, id as alias, issue from newest
      union all
      select i.tenant, i.issue, n.issue from identified i join newest n using (tenant, id)
    ) as known group by 1, 2
  ), requests as (
    -- what is mentioned as issue #42, and is a pull request
    select distinct tenant, to_entity as issue from event_correlations
    where relation = 'same_as' and strength = 'strong' and known_to = 'infinity'
      and from_entity like 'github:pull\_request:%'
  ), implemented as (
    select distinct c.tenant, coalesce(n.issue, c.to_entity) as issue, c.from_entity as pull_request
    from event_correlations c
    left join names n on n.tenant = c.tenant and n.alias = c.to_entity
    where c.relation = 'implements' and c.strength = 'strong' and c.known_to = 'infinity'
      and c.from_entity like 'github:pull\_request:%'
      and not exists (select from requests r where r.tenant = c.tenant and r.issue = c.to_entity)
  ), created as (
    select l.tenant, coalesce(n.issue, l.entity) as issue, min(l.occurred_at) as created_at
    from event_log l
    left join names n on n.tenant = l.tenant and n.alias = l.entity
    where l.type in ('linear.issue.create', 'github.issues.opened')
    group by 1, 2
  ), work as (
    select i.tenant, i.issue, count(*) as pull_requests, count(p.merged_at) as merged,
      count(*) filter (where p.closed_at is null) as open,
      count(p.deployed_at) filter (where p.merged_at is not null) as deployed,
      case when count(p.started_at) = count(*) then min(p.started_at) end as started_at,
      min(p.opened_at) as opened_at, min(p.first_review_at) as first_review_at,
      max(p.merged_at) as merged_at,
      max(greatest(p.deployed_at, p.merged_at)) filter (where p.merged_at is not null) as deployed_at
    from implemented i
    join pull_request_lead_times p on p.tenant = i.tenant and p.pull_request = i.pull_request
    group by 1, 2
  ), times as (
    select w.tenant, w.issue, w.pull_requests, w.merged, w.open, w.deployed, c.created_at, w.started_at,
      w.opened_at,
      case when w.open > 0 or w.merged = 0 or w.first_review_at <= w.merged_at then w.first_review_at
        end as first_review_at,
      case when w.open = 0 then w.merged_at end as merged_at,
      case when w.open = 0 and w.merged > 0 and w.deployed = w.merged then w.deployed_at end as deployed_at
    from work w
    left join created c on c.tenant = w.tenant and c.issue = w.issue
  )
  select *,
    case when started_at is not null then greatest(started_at, created_at) - created_at end as waiting,
    opened_at - started_at as coding,
    first_review_at - opened_at as pickup,
    merged_at - first_review_at as review,
    deployed_at - merged_at as deploy,
    case when deployed_at is not null then greatest(deployed_at, created_at) - created_at end as lead_time
  from times
$$;

create or replace view work_item_lead_times with (security_invoker = true) as
  select * from read_work_item_lead_times();

grant select on work_item_lead_times to signalbox_reader, signalbox_worker;
