-- deployment_places: one row for each place that anything is deployed to: a service and its environment.
--   service       the project, else the repository
--   environment   by one name: `Prod` is production
--   environment_kind    as its deployments tell; of several, what the first that went live told, else the
--                 first at all; `unknown` where none does. GET /entities/:key/status says the same.
-- Previews are left out: each of them is a place of its own, and none is a release.
-- Under signalbox_reader it shows the rows of one tenant, as the tables do.
create or replace view deployment_places with (security_invoker = true) as
  -- From one place to the next in the index: places are few, and their states many.
  with recursive place as (
    (
      select tenant, service, environment from deployment_states where branch = ''
      order by tenant, service, environment limit 1
    )
    union all
    select next.* from place p
    cross join lateral (
      (
        select s.tenant, s.service, s.environment from deployment_states s
        where s.branch = '' and s.tenant = p.tenant and (s.service, s.environment) > (p.service, p.environment)
        order by s.service, s.environment limit 1
      )
      union all
      (
        select s.tenant, s.service, s.environment from deployment_states s
        where s.branch = '' and s.tenant > p.tenant
        order by s.tenant, s.service, s.environment limit 1
      )
      limit 1
    ) as next
  )
  select p.tenant, p.service, p.environment, coalesce(
    (
      select s.kind from deployment_states s
      where s.tenant = p.tenant and s.service = p.service and s.environment = p.environment and s.branch = ''
        and s.kind <> 'unknown' and s.status in ('success', 'rolled_back')
      order by s.at, s.kind limit 1
    ), (
      select s.kind from deployment_states s
      where s.tenant = p.tenant and s.service = p.service and s.environment = p.environment and s.branch = ''
        and s.kind <> 'unknown'
      order by s.at, s.kind limit 1
    ), 'unknown'
  ) as environment_kind
  from place p;

grant select on deployment_places to signalbox_reader, signalbox_worker;
