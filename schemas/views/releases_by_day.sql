-- releases_by_day: the rows of release_periods whose unit is a day, a column of that name in place of `since`.
-- Under signalbox_reader it shows the rows of one tenant, as the tables do.
create or replace view releases_by_day with (security_invoker = true) as
  select tenant, service, environment, environment_kind, since as day,
    releases, succeeded, failures, change_failure_rate, restored, time_to_restore
  from release_periods where unit = 'day';

grant select on releases_by_day to signalbox_reader, signalbox_worker;
