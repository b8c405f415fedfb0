-- Who may do what, and whose rows. The worker role sees every tenant; the reader role sees the one
-- that signalbox.tenant names, and nothing at all while that is unset.

grant select, insert, update, delete on all tables in schema public to signalbox_worker;
revoke insert, update, delete on schema_migrations from signalbox_worker;
grant usage on all sequences in schema public to signalbox_worker;

do $$
declare
  name text;
begin
  foreach name in array array['sources', 'events', 'event_keys', 'event_states', 'event_conflicts',
    'event_processing_status', 'event_performance', 'github_events', 'linear_events', 'slack_events',
    'deployment_events', 'event_references', 'event_correlations', 'linear_team_keys', 'entity_states', 'event_log', 'event_streams',
    'stream_subscriptions', 'event_deliveries', 'dead_letters', 'outbox', 'event_metrics'] loop
    execute format('alter table %I enable row level security', name);
    execute format('create policy worker on %I to signalbox_worker using (true) with check (true)', name);
    execute format('create policy tenant on %I for select to signalbox_reader using (tenant = (select current_setting(''signalbox.tenant'', true)))', name);
    execute format('grant select on %I to signalbox_reader', name);
  end loop;
end $$;

-- Readers compare their cursor to the end of the log, which belongs to no tenant.
grant select on event_log_head to signalbox_reader;

-- Built-in streams are everybody's.
create policy built_in on event_streams for select to signalbox_reader using (built_in);

insert into schema_migrations (name) values ('0008_privileges.sql');
