-- The whole schema without the hub: psql -1 -v ON_ERROR_STOP=1 -f schemas/install.sql "$DATABASE_URL"
\ir migrations/0001_roles.sql
\ir migrations/0002_events.sql
\ir migrations/0003_details.sql
\ir migrations/0004_correlation.sql
\ir migrations/0005_log.sql
\ir migrations/0006_operations.sql
\ir migrations/0007_partitions.sql
\ir migrations/0008_privileges.sql
\ir migrations/0009_sources.sql
\ir migrations/0010_live.sql
\ir migrations/0011_streams.sql
\ir migrations/0012_timeline_notes.sql
\ir migrations/0013_correlation_rules.sql
\ir migrations/0014_subscriptions.sql
\ir migrations/0015_consumer_groups.sql
\ir migrations/0017_replays.sql
\ir migrations/0018_log_publications.sql
\ir migrations/0019_order_keys.sql
\ir migrations/0020_body_text.sql
\ir views/consumer_group_lag.sql
\ir views/correlated_events.sql
\ir views/deployment_places.sql
\ir views/deployment_runs.sql
\ir views/event_payload.sql
\ir views/event_processing_summary.sql
\ir views/events_by_day.sql
\ir views/github_pull_requests.sql
\ir views/pull_request_deployments.sql
\ir views/pull_request_lead_times.sql
\ir views/pull_requests_by_day.sql
\ir views/receipts.sql
\ir views/recent_events.sql
\ir views/release_outcomes.sql
\ir views/release_periods.sql
\ir views/releases_by_day.sql
\ir views/releases_by_week.sql
\ir views/source_ledger.sql
\ir views/webhook_receipts.sql
\ir views/webhook_standing.sql
\ir views/work_item_lead_times.sql

-- By this the hub knows that it need not make the views anew. A test says what belongs here.
insert into schema_migrations (name) values ('views@8c1b6b757c0ca024');
