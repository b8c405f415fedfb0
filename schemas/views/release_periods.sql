-- release_periods: releases of each service and environment by the period in UTC, a row for each period with any.
--   unit, since   `day` or `week`, and its first day: of a week, its Monday
--   releases      that came to an end in that time, well or not (see release_outcomes)
--   succeeded     of these, those that went live: the deployment frequency is of them
--   failures      of these, those that failed, were rolled back, reverted or hotfixed
--   change_failure_rate    failures / releases
--   restored      of the failures, those that are over
--   time_to_restore        their median
-- Add up counts before you divide: a rate is no sum.
-- Under signalbox_reader it shows the rows of one tenant, as the tables do.
create or replace view release_periods with (security_invoker = true) as
  select tenant, service, environment, environment_kind, unit,
    date_trunc(unit, finished_at at time zone 'UTC')::date as since,
    count(*) as releases,
    count(live_at) as succeeded,
    count(failure) as failures,
    count(failure)::double precision / count(*) as change_failure_rate,
    count(time_to_restore) as restored,
    percentile_cont(0.5) within group (order by time_to_restore) as time_to_restore
  from release_outcomes cross join (values ('day'), ('week')) as units (unit)
  group by 1, 2, 3, 4, 5, 6;

grant select on release_periods to signalbox_reader, signalbox_worker;
