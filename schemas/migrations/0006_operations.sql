-- Changes to hand over within a user's own transaction; figures; API keys.

create table outbox (
  id bigint generated always as identity primary key,
  event_id uuid not null unique,
  tenant text not null default 'default',
  event_type text not null,
  entity_type text,
  entity_id text,
  payload jsonb not null,
  created_at timestamptz not null default now(),
  claimed_at timestamptz,
  processed_at timestamptz,
  attempts integer not null default 0,
  last_error text
);
create index outbox_unprocessed on outbox (id) where processed_at is null;
create index outbox_processed on outbox (processed_at) where processed_at is not null;

-- Counts per minute, added up in the serialized step of processing; latencies in milliseconds.
create table event_metrics (
  bucket timestamptz not null,
  tenant text not null,
  platform text not null,
  type text not null,
  processed bigint not null default 0,
  failed bigint not null default 0,
  total_ms double precision not null default 0,
  max_ms double precision not null default 0,
  primary key (bucket, tenant, platform, type)
);

create table api_keys (
  id uuid primary key default gen_random_uuid(),
  tenant text not null default 'default',
  name text not null,
  prefix text not null, -- first characters, to recognize a key by
  hash bytea not null unique, -- SHA-256; keys hold 256 random bits, so no slow hash is needed
  scopes text[] not null,
  requests_per_second real check (requests_per_second > 0), -- null: as many as it likes
  events_per_second real check (events_per_second > 0), -- that streams and pages give it
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz
);

insert into schema_migrations (name) values ('0006_operations.sql');
