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
-- clock. Branches that were forced, or stand on other branches, are followed by GET /entities/:key/status
-- alone: what is live is its question, and when it first was is the one here.
-- Under signalbox_reader it shows the rows of one tenant, as the tables do.
drop function if exists read_pull_request_deployments();
create function read_pull_request_deployments() returns table (
  tenant text, pull_request text, service text, environment text, environment_kind text, deployment text,
  live_number bigint, live_at timestamptz
)
-- The planner takes groups to be few, and would go through all of one side for each row of the other.
language sql stable rows 10000 set enable_nestloop = off set jit = off as $$
  with lives as materialized (
    select * from deployment_runs where live_number is not null
  ), merged as materialized (
    select tenant, 'github:pull_request:' || repository || '#' || number as pull_request,
      repository || '@refs/heads/' || max(base_ref) as line, max(merge_sha) as sha, min(merged_at) as at
    from github_events
    where merged_at is not null and repository is not null and number is not null
    group by tenant, repository, number
  ), places as materialized (
    -- where commits stand on a line (a ref of a repository)
    select tenant, line, sha, min(at) as at from pushed_commits group by 1, 2, 3
    union all
    select m.tenant, m.line, m.sha, m.at
    from merged m
    where m.sha is not null and not exists (
      select from pushed_commits p where p.tenant = m.tenant and p.sha = m.sha and p.line = m.line)
  ), live_places as materialized (
    -- SHAs of deployments may be abbreviated to seven digits
    select l.tenant, l.service, l.environment, l.live_number, p.line, p.at,
      first_value(p.at) over (partition by l.tenant, l.service, l.environment, p.line
        order by l.live_number) as first_at
    from lives l
    join places p on p.tenant = l.tenant and left(p.sha, 7) = left(l.sha, 7) and starts_with(p.sha, l.sha)
      and (l.repository is null or l.repository = split_part(p.line, '@', 1))
  ), in_order as (
    -- the least number among what stands as late on the line as the merge, or later
    select tenant, service, environment, pull_request, min(live_number) over (
        partition by tenant, service, environment, line order by at desc) as live_number
    from (
      select tenant, service, environment, line, at, live_number, null as pull_request from live_places
      union all
      select l.tenant, l.service, l.environment, l.line, m.at, null, m.pull_request
      from (select distinct tenant, service, environment, line, first_at from live_places) as l
      join (
        select p.tenant, m.pull_request, p.line, p.at from merged m
        join places p on p.tenant = m.tenant and p.sha = m.sha
      ) as m on m.tenant = l.tenant and m.line = l.line and m.at > l.first_at
    ) as on_line
  ), landed as (
    select tenant, pull_request, sha from merged
    union
    -- what is mentioned as issue #42 here is the pull request of that number
    select tenant, replace(to_entity, 'github:issue:', 'github:pull_request:'),
      substr(from_entity, length('github:commit:') + 1)
    from event_correlations where relation = 'merge_of' and strength = 'strong' and known_to = 'infinity'
  ), landed_heads as (
    select tenant, pull_request, sha from landed
    union
    select a.tenant, a.pull_request, p.after_sha
    from landed a
    join pushed_commits p on p.tenant = a.tenant and p.sha = a.sha
  ), found as (
    select tenant, service, environment, pull_request, live_number from in_order
    where pull_request is not null
    union all
    select l.tenant, l.service, l.environment, h.pull_request, l.live_number
    from lives l
    join landed_heads h on h.tenant = l.tenant and left(h.sha, 7) = left(l.sha, 7) and starts_with(h.sha, l.sha)
    union all
    select l.tenant, l.service, l.environment, c.to_entity, l.live_number
    from lives l
    join event_correlations c on c.tenant = l.tenant and c.from_entity = l.deployment
      and c.relation = 'ships' and c.strength = 'strong' and c.known_to = 'infinity'
      and c.to_entity like 'github:pull\_request:%'
  ), firsts as (
    select tenant, service, environment, pull_request, min(live_number) as live_number
    from found group by 1, 2, 3, 4
  )
  select f.tenant, f.pull_request, f.service, f.environment, l.environment_kind, l.deployment, f.live_number,
    l.live_at
  from firsts f
  join lives l using (tenant, service, environment, live_number)
$$;

create or replace view pull_request_deployments with (security_invoker = true) as
  select * from read_pull_request_deployments();

grant select on pull_request_deployments to signalbox_reader, signalbox_worker;
