-- Webhook subscriptions: what a consumer of kind `webhook` has besides, its secrets, its health, its attempts.

-- `disabled`: by the hub, because the receiver said so or nothing but failures came from it for long.
-- `skipping`: paused, and its events are recorded as skipped rather than left waiting in the log.
alter table stream_subscriptions drop constraint stream_subscriptions_status_check;
alter table stream_subscriptions add constraint stream_subscriptions_status_check
  check (status in ('active', 'paused', 'skipping', 'disabled'));

-- `held`: waits behind an earlier event of its entity that has failed.
alter table event_deliveries drop constraint event_deliveries_status_check;
alter table event_deliveries add constraint event_deliveries_status_check
  check (status in ('running', 'delivered', 'retrying', 'held', 'dead', 'skipped'));
alter table event_deliveries alter column first_attempt_at drop not null; -- held and skipped ones have had none
alter table event_deliveries add column order_key text; -- of those retried or held, where order is kept
create index event_deliveries_kept on event_deliveries (subscription_id, status, event_id)
  where status in ('dead', 'skipped', 'held');
create index event_deliveries_ordered on event_deliveries (subscription_id, order_key, position)
  where status in ('retrying', 'held') and order_key is not null;

create table webhook_subscriptions (
  id uuid primary key references stream_subscriptions (id) on delete cascade,
  tenant text not null,
  url text not null check (octet_length(url) <= 2048),
  format text not null check (format in ('standard', 'cloudevents')),
  payload jsonb not null default '"all"', -- "all", "head", or {"pick": [fields]}
  ordered boolean not null default false,
  concurrency smallint not null check (concurrency between 1 and 256),
  rate_per_second real check (rate_per_second > 0),
  timeout_ms integer not null check (timeout_ms between 100 and 60000),
  retry_schedule integer[] not null, -- seconds before the second attempt, the third, …
  disabled_reason text,
  disabled_at timestamptz,
  updated_at timestamptz not null default now()
);
comment on table webhook_subscriptions is 'Where events are sent as webhooks, and how; what a subscription shares with other consumers is in stream_subscriptions.';

-- Sealed as secrets of sources are (see source_secrets). Readers never see this table.
create table webhook_secrets (
  id uuid primary key,
  subscription_id uuid not null references webhook_subscriptions (id) on delete cascade,
  tenant text not null,
  wrapped_key bytea not null,
  sealed bytea not null,
  key_id text not null, -- fingerprint of the encryption key that wraps
  created_at timestamptz not null default now(),
  expires_at timestamptz
);
create index webhook_secrets_subscription on webhook_secrets (subscription_id);

-- How a receiver has answered of late, as the processes that send to it have written it, seconds late.
create table webhook_health (
  subscription_id uuid primary key references webhook_subscriptions (id) on delete cascade,
  tenant text not null,
  failing_since timestamptz, -- of failures without a success between them; null while it answers
  failures integer not null default 0, -- since then
  last_success_at timestamptz,
  last_failure_at timestamptz,
  last_error text,
  -- What the process that failed last has found, for the others that send to it: nothing is sent before then, and
  -- after that one request at a time, at growing intervals, until one is answered. Null and 0 while all is well.
  rests_until timestamptz,
  probe_interval_ms integer not null default 0
);

-- Every request that was sent, or could not be.
create table webhook_attempts (
  subscription_id uuid not null,
  event_id uuid not null,
  tenant text not null,
  attempt integer not null,
  sent_at timestamptz not null,
  status_code smallint, -- null where no answer came
  duration_ms integer not null,
  response text, -- the first 1 KiB of the answer, its secrets masked
  error text, -- why it counts as failed
  secret_ids uuid[] not null, -- those that signed it, the newest first
  primary key (subscription_id, event_id, sent_at, attempt)
) partition by range (event_id);

create or replace view partitioned_tables as
  select c.oid as table_oid, c.relname as table_name, a.attname as key_column
  from pg_partitioned_table p
  join pg_class c on c.oid = p.partrelid
  join pg_attribute a on a.attrelid = c.oid and a.attnum = p.partattrs[0]
  where c.relnamespace = 'public'::regnamespace
    and c.relname in ('events', 'event_processing_status', 'event_performance', 'event_references',
      'event_log', 'event_deliveries', 'github_events', 'linear_events', 'slack_events', 'deployment_events',
      'source_receipts', 'webhook_attempts');
select make_partitions(only_table => 'webhook_attempts');

-- Every process that sends holds the subscriptions in memory, and reads them again when this has moved.
-- It is held until commit, so that versions rise in the order in which they are seen.
create table webhook_version (
  one boolean primary key default true check (one),
  version bigint not null
);
insert into webhook_version (version) values (0);

create function count_webhook_change() returns trigger language plpgsql set search_path = public, pg_temp as $$
begin
  update webhook_version set version = version + 1;
  perform pg_notify('signalbox_subscriptions', ''); -- a hint: the same within a transaction are sent as one
  return null;
end $$;
create trigger count_change after insert or update or delete on webhook_subscriptions
  for each row execute function count_webhook_change();
create trigger count_change after insert or update or delete on webhook_secrets
  for each row execute function count_webhook_change();
create trigger count_change after update of stream, filter, status, partitions on stream_subscriptions
  for each row when (new.kind = 'webhook') execute function count_webhook_change();
create trigger count_change after update of filter, routes or delete on event_streams
  for each row execute function count_webhook_change();

grant select, update on webhook_version to signalbox_worker;
grant select, insert, update, delete on webhook_subscriptions, webhook_secrets, webhook_health, webhook_attempts
  to signalbox_worker;

do $$
declare
  name text;
begin
  foreach name in array array['webhook_subscriptions', 'webhook_health', 'webhook_attempts'] loop
    execute format('alter table %I enable row level security', name);
    execute format('create policy worker on %I to signalbox_worker using (true) with check (true)', name);
    execute format('create policy tenant on %I for select to signalbox_reader using (tenant = (select current_setting(''signalbox.tenant'', true)))', name);
    execute format('grant select on %I to signalbox_reader', name);
  end loop;
end $$;

alter table webhook_secrets enable row level security;
create policy worker on webhook_secrets to signalbox_worker using (true) with check (true);

insert into schema_migrations (name) values ('0014_subscriptions.sql');
