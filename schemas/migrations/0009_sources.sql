-- Secrets of sources, sealed; receipts of requests; what is known to be complete and what is not.

-- Each value is sealed (AES-256-GCM) under a key of its own, which is wrapped under
-- SIGNALBOX_ENCRYPTION_KEY: a new one of those re-wraps keys and leaves values alone. A dump holds
-- neither in the clear. Readers never see this table.
create table source_secrets (
  id uuid primary key,
  source_id uuid not null references sources (id) on delete cascade,
  tenant text not null,
  purpose text not null check (purpose in ('signing', 'credential')),
  wrapped_key bytea not null,
  sealed bytea not null,
  key_id text not null, -- fingerprint of the encryption key that wraps
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  matched_at timestamptz -- when it last verified a request, to the minute
);
create index source_secrets_source on source_secrets (source_id);

-- Every process holds the sources in memory, and reads again what has another version than its own.
-- The one counter is held until commit, so that versions rise in the order in which they are seen.
create table source_version (
  one boolean primary key default true check (one),
  version bigint not null
);
insert into source_version (version) values (0);
alter table sources add column version bigint not null default 0;

create function stamp_source() returns trigger language plpgsql set search_path = public, pg_temp as $$
begin
  update source_version set version = version + 1 returning version into new.version;
  new.updated_at := now();
  perform pg_notify('signalbox_sources', ''); -- a hint: the same within a transaction are sent as one
  return new;
end $$;
create trigger stamp before insert or update on sources for each row execute function stamp_source();

create function stamp_source_of_secret() returns trigger language plpgsql set search_path = public, pg_temp as $$
begin
  update sources set version = version where id = coalesce(new.source_id, old.source_id);
  return null;
end $$;
-- That a secret has matched changes nothing for anybody.
create trigger stamp after insert or delete or update of source_id, purpose, wrapped_key, sealed, key_id, expires_at
  on source_secrets for each row execute function stamp_source_of_secret();

create function count_source_deletion() returns trigger language plpgsql set search_path = public, pg_temp as $$
begin
  update source_version set version = version + 1;
  perform pg_notify('signalbox_sources', '');
  return null;
end $$;
create trigger count_deletion after delete on sources for each statement execute function count_source_deletion();

-- What came in by one source, newest first.
create index events_source on events (platform, source, id);

-- Requests that made no event of their own; those that did are their events (see the view receipts).
-- What was never believed leaves no body, and no header, behind.
create table source_receipts (
  id uuid not null, -- UUIDv7 of the arrival
  tenant text not null,
  platform text not null,
  source text not null,
  outcome text not null check (outcome in ('duplicate', 'conflict', 'rejected', 'unavailable')),
  code text, -- error code of a refusal
  reason text,
  delivery_id text,
  event_id uuid, -- the event that was there before
  secret_id text,
  headers jsonb not null default '{}', -- the kept ones, of a request that was believed
  body_bytes integer,
  requests integer not null default 1, -- so many alike at about this time; a flood is counted, not listed
  received_at timestamptz not null,
  primary key (id)
) partition by range (id);
create index source_receipts_source on source_receipts (platform, source, outcome, id);

-- The head of a source's ledger, and the state of its sweep: one row a source that was ever swept.
create table source_completeness (
  source_id uuid primary key, -- sources.id
  tenant text not null,
  complete_from timestamptz, -- from here on without a break
  complete_through timestamptz, -- all that happened until then is here, or is a gap that says so
  checked_at timestamptz, -- end of the last whole sweep
  ran_at timestamptz, -- when the last run ended, at its end or before
  problem text, -- why that one did not come to its end, or what it had to leave out, for the operator
  failures integer not null default 0, -- so many runs in a row failed: each time the next one waits longer
  next_at timestamptz not null default now(), -- nothing is asked of the provider before this, unless wanted
  limited_until timestamptz, -- the provider's own limit: before this nothing is asked, wanted or not
  wanted_at timestamptz, -- somebody asked for a sweep, which has not begun
  wanted_since timestamptz, -- from when on it should look, where they said
  swept_from timestamptz, -- window of the sweep under way; null between sweeps
  swept_until timestamptz,
  cursor text,
  progress text,
  calls bigint not null default 0, -- requests to the provider's API, ever
  fence bigint not null default 0, -- rises with every claim: who lost it writes nothing any more
  leased_until timestamptz
);

-- Every hole that was found: a delivery or record that did not come, or a time in which none could.
create table source_gaps (
  id uuid primary key,
  source_id uuid not null, -- sources.id
  tenant text not null,
  kind text not null check (kind in ('delivery', 'record', 'outage')),
  key text not null, -- delivery key; for an outage a text that is the same whoever finds it
  reason text not null, -- what the provider says became of it; hub_down, database_away for outages
  started_at timestamptz not null,
  ended_at timestamptz, -- of an outage; null while it lasts
  requests bigint not null default 0, -- turned away in an outage, as far as was seen
  state text not null check (state in ('open', 'requested', 'repaired', 'lost')),
  note text, -- why it is lost
  handle text, -- names it to the provider
  attempts integer not null default 0,
  requested_at timestamptz,
  settled_at timestamptz,
  event_id uuid,
  unique (source_id, kind, key)
);
create index source_gaps_unsettled on source_gaps (source_id, started_at) where state <> 'repaired';
create index source_gaps_listed on source_gaps (source_id, started_at, id);

-- One row: when an ingesting process could last write. A beat long after the one before it is an outage.
create table ingest_heartbeat (
  one boolean primary key default true check (one),
  beat_at timestamptz not null
);

create or replace view partitioned_tables as
  select c.oid as table_oid, c.relname as table_name, a.attname as key_column
  from pg_partitioned_table p
  join pg_class c on c.oid = p.partrelid
  join pg_attribute a on a.attrelid = c.oid and a.attnum = p.partattrs[0]
  where c.relnamespace = 'public'::regnamespace
    and c.relname in ('events', 'event_processing_status', 'event_performance', 'event_references',
      'event_log', 'event_deliveries', 'github_events', 'linear_events', 'slack_events', 'deployment_events',
      'source_receipts');
select make_partitions(only_table => 'source_receipts');

grant select, update on source_version to signalbox_worker;
grant select, insert, update, delete on source_secrets, source_receipts, source_completeness, source_gaps,
  ingest_heartbeat to signalbox_worker;

do $$
declare
  name text;
begin
  foreach name in array array['source_receipts', 'source_completeness', 'source_gaps'] loop
    execute format('alter table %I enable row level security', name);
    execute format('create policy worker on %I to signalbox_worker using (true) with check (true)', name);
    execute format('create policy tenant on %I for select to signalbox_reader using (tenant = (select current_setting(''signalbox.tenant'', true)))', name);
    execute format('grant select on %I to signalbox_reader', name);
  end loop;
end $$;

alter table source_secrets enable row level security;
create policy worker on source_secrets to signalbox_worker using (true) with check (true);

insert into schema_migrations (name) values ('0009_sources.sql');
