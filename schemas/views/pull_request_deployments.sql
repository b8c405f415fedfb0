-- pull_request_deployments: one row for each pull request and place (target and environment) that it has
-- gone live at: the first time that it did.
--   deployment, live_number   which went live with it; deployment_runs has the whole of it
--   live_at       when, by the deploying tool's clock
-- A deployment has a pull request in it where
--   · its sender says so (`ships`),
--   · its commit is the one that the pull request was merged as, was squashed into or picked as, or came
--     in the same push as that one, or
--   · its commit is on the branch that the pull request was merged into, no earlier than the merge, and
--     what first went live at this place was earlier on that branch than the merge. So the first
--     deployment that is known of a place takes in none of the years before it.
-- When a commit came on a branch is told by pushes and merges, both by GitHub's clock.
-- Under signalbox_reader it shows the rows of one tenant, as the tables do.
create or replace view pull_request_deployments with (security_invoker = true) as
  with lives as materialized (
    select * from deployment_runs where live_number is not null
  ), merges as materialized (
    select * from github_pull_requests
  ), together as materialized (
    -- commits that came with the head of a push
    select c.tenant, substr(c.from_entity, length('github:commit:') + 1) as sha,
      substr(c.to_entity, length('github:commit:') + 1) as head, c.event_id, c.occurred_at as at
    from event_correlations c where c.relation = 'pushed_with' and c.known_to = 'infinity'
  ), pushes as (
    select g.event_id, g.tenant, g.repository, substr(g.ref, length('refs/heads/') + 1) as branch, g.sha,
      l.occurred_at as at
    from github_events g
    join event_log l on l.event_id = g.event_id
    where g.event_name = 'push' and g.ref like 'refs/heads/%'
  ), places as (
    select tenant, repository, branch, sha, min(at) as at from (
      select tenant, repository, branch, sha, at from pushes
      union all
      select p.tenant, p.repository, p.branch, t.sha, p.at from together t join pushes p on p.event_id = t.event_id
      union all
      select tenant, repository, base_ref, merge_sha, merged_at from merges where merge_sha is not null
    ) as seen
    group by 1, 2, 3, 4
  ), live_places as (
    -- SHAs of deployments may be abbreviated to seven digits
    select l.tenant, l.target, l.environment, l.live_number, p.repository, p.branch, p.at,
      first_value(p.at) over (partition by l.tenant, l.target, l.environment, p.repository, p.branch
        order by l.live_number) as first_at
    from lives l
    join places p on p.tenant = l.tenant and left(p.sha, 7) = left(l.sha, 7) and starts_with(p.sha, l.sha)
      and p.repository = coalesce(l.repository, p.repository)
  ), lines as (
    select distinct tenant, target, environment, repository, branch, first_at from live_places
  ), merged as (
    select m.tenant, m.pull_request, m.repository, m.base_ref, m.merge_sha, coalesce(p.at, m.merged_at) as at
    from merges m
    left join places p on p.tenant = m.tenant and p.repository = m.repository and p.branch = m.base_ref
      and p.sha = m.merge_sha
    where m.merged_at is not null
  ), branch_order as (
    -- The least number among what is as late on the branch as the merge, or later
    select tenant, target, environment, pull_request, min(live_number) over (
        partition by tenant, target, environment, repository, branch order by at desc) as live_number
    from (
      select tenant, target, environment, repository, branch, at, live_number, null as pull_request
      from live_places
      union all
      select l.tenant, l.target, l.environment, l.repository, l.branch, m.at, null, m.pull_request
      from lines l
      join merged m on m.tenant = l.tenant and m.repository = l.repository and m.base_ref = l.branch
        and m.at > l.first_at
    ) as on_branch
  ), landed as (
    -- commits that a pull request became
    select tenant, pull_request, merge_sha as sha from merged
    union
    select tenant, replace(to_entity, 'github:issue:', 'github:pull_request:'),
      substr(from_entity, length('github:commit:') + 1)
    from event_correlations where relation = 'merge_of' and strength = 'strong' and known_to = 'infinity'
  ), landed_heads as (
    select tenant, pull_request, sha from landed
    union
    select a.tenant, a.pull_request, t.head from landed a join together t on t.tenant = a.tenant and t.sha = a.sha
  ), found as (
    select tenant, target, environment, pull_request, live_number from branch_order
    where pull_request is not null
    union all
    select l.tenant, l.target, l.environment, h.pull_request, l.live_number
    from lives l
    join landed_heads h on h.tenant = l.tenant and left(h.sha, 7) = left(l.sha, 7) and starts_with(h.sha, l.sha)
    union all
    select l.tenant, l.target, l.environment, c.to_entity, l.live_number
    from lives l
    join event_correlations c on c.tenant = l.tenant and c.from_entity = l.deployment
      and c.relation = 'ships' and c.strength = 'strong' and c.known_to = 'infinity'
      and c.to_entity like 'github:pull\_request:%'
  ), firsts as (
    select tenant, target, environment, pull_request, min(live_number) as live_number
    from found group by 1, 2, 3, 4
  )
  select f.tenant, f.pull_request, f.target, f.environment, l.environment_kind, l.deployment, f.live_number,
    l.live_at
  from firsts f
  join lives l using (tenant, target, environment, live_number);

grant select on pull_request_deployments to signalbox_reader, signalbox_worker;
