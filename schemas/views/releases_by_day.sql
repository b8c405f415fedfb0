-- releases_by_day: releases of each service and environment by the day in UTC, a row for each day with any.
--   releases      that came to an end on that day, well or not (see release_outcomes)
--   succeeded     of these, those that went live: the deployment frequency is of them
--   failures      of these, those that failed, were rolled back, reverted or hotfixed
--   change_failure_rate    failures / releases
--   restored      of the failures, those that are over
--   time_to_restore        their median
-- Add up counts before you divide: a rate is no sum.
-- Under signalbox_reader it shows the rows of one tenant, as the tables do.
create or replace view releases_by_day with (security_invoker = true) as
  select tenant, service, environment, environment_kind, date_trunc('day', finished_at at time zone 'UTC')::date as day,
    count(*) as releases,
    count(live_at) as succeeded,
    count(failure) as failures,
    count(failure)::double precision / count(*) as change_failure_rate,
    count(time_to_restore) as restored,
    percentile_cont(0.5) within group (order by time_to_restore) as time_to_restore
  from release_outcomes
  group by 1, 2, 3, 4, 5;

grant select on releases_by_day to signalbox_reader, signalbox_worker;
