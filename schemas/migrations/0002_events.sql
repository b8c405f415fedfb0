-- What came in: one row an event with its body as received, and the keys that recognize a repeat.

create table sources (
  id uuid primary key default gen_random_uuid(),
  tenant text not null default 'default',
  platform text not null,
  name text not null,
  sender text, -- which of the platform's kinds of sender; null for the platform's own form
  settings jsonb not null default '{}', -- nothing secret
  enabled boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (platform, name) -- the path of a webhook names no tenant
);

create table events (
  id uuid not null,
  tenant text not null,
  platform text not null,
  source text not null,
  type text not null,
  name text not null,
  delivery_id text not null,
  priority text not null check (priority in ('critical', 'high', 'normal', 'low')),
  -- null until processed
  actor_id text,
  actor_name text,
  actor_bot boolean,
  entity text,
  title text,
  url text,
  occurred_at timestamptz,
  received_at timestamptz not null,
  correlation_id text not null,
  causation_id text,
  headers jsonb not null,
  content_type text not null,
  sender text, -- as the source's, when it came
  secret_id text, -- which secret verified it; null where none did
  backfilled boolean not null default false, -- fetched from the provider, not sent by it
  raw bytea not null,
  primary key (id)
) partition by range (id);

comment on table events is 'One thing that happened, in the unified envelope. raw holds the body exactly as received; event_payload(raw, content_type) reads it as jsonb.';
comment on column events.name is 'The sender''s own name for it: pull_request:opened, Issue:update, app_mention.';
comment on column events.delivery_id is 'Delivery key: unique within (tenant, platform, source), see event_keys.';

-- Not partitioned: uniqueness must hold whatever the time a repeat comes at.
create table event_keys (
  tenant text not null,
  platform text not null,
  source text not null,
  delivery_id text not null check (octet_length(delivery_id) <= 512), -- a btree key holds 2,704 bytes
  event_id uuid not null,
  body_sha256 bytea not null,
  received_at timestamptz not null,
  primary key (tenant, platform, source, delivery_id)
);

-- What an event says of its subject at the sender's clock, for the platforms that can tell: by it a
-- backfilled event and a late webhook, or one webhook under two keys, are found to be the same.
create table event_states (
  tenant text not null,
  platform text not null,
  source text not null,
  state text not null check (octet_length(state) <= 512),
  event_id uuid not null,
  body_sha256 bytea not null,
  backfilled boolean not null,
  primary key (tenant, platform, source, state)
);

create index event_states_backfilled on event_states (state) where backfilled;

-- For a transaction that sends its COMMIT before it has read the answers.
create function refuse_told_by_backfill(records text[]) returns void language plpgsql stable as $$
begin
  if exists (select from event_states where backfilled and state = any (records)) then
    raise unique_violation using message = 'something backfilled tells of one of these records';
  end if;
end $$;

-- A delivery whose key is known but whose body is another one: kept, never silently dropped.
create table event_conflicts (
  id uuid primary key,
  tenant text not null,
  platform text not null,
  source text not null,
  delivery_id text not null,
  event_id uuid not null,
  headers jsonb not null,
  content_type text not null,
  raw bytea not null,
  received_at timestamptz not null
);
create index event_conflicts_event on event_conflicts (event_id);

-- Absent while an event waits; written with the processing's own transaction.
create table event_processing_status (
  event_id uuid not null,
  tenant text not null,
  status text not null check (status in ('processed', 'retrying', 'dead')),
  attempts integer not null,
  last_error text,
  first_attempt_at timestamptz not null,
  processed_at timestamptz,
  primary key (event_id)
) partition by range (event_id);

create table event_performance (
  event_id uuid not null,
  tenant text not null,
  queue_ms double precision not null,      -- received to claimed by a worker
  processing_ms double precision not null, -- claimed to appended to the log
  total_ms double precision not null,
  recorded_at timestamptz not null,
  primary key (event_id)
) partition by range (event_id);

insert into schema_migrations (name) values ('0002_events.sql');
