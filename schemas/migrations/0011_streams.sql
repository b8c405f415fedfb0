-- Open streams, which live in the processes that serve them.

-- Tokens that open one stream once, for browsers: an address may show one, and never a key.
create table stream_tokens (
  hash bytea primary key, -- SHA-256; tokens hold 256 random bits
  tenant text not null,
  key_id text not null, -- whose right it carries; with that key it ends
  stream text not null,
  expires_at timestamptz not null
);
create index stream_tokens_expiry on stream_tokens (expires_at);

-- Who serves streams. Nothing here outlives a crash, and nothing needs to.
create unlogged table stream_nodes (
  id text primary key,
  seen_at timestamptz not null default now()
);

-- What nodes answer when all are asked something; whoever asks takes it out again.
create unlogged table stream_answers (
  question uuid not null,
  node text not null,
  answer jsonb not null,
  answered_at timestamptz not null default now(),
  primary key (question, node)
);

-- A stream is a topic: its name may have segments, `deploys.eu.production`.
alter table event_streams drop constraint event_streams_name_check;
alter table event_streams add constraint event_streams_name_check
  check (name ~ '^[a-z][a-z0-9_-]*(\.[a-z0-9][a-z0-9_-]*)*$' and length(name) <= 200);
alter table event_streams add column routes jsonb check (jsonb_typeof(routes) = 'array'); -- any of these filters, within the stream's own
alter table event_streams add column retention_seconds integer check (retention_seconds > 0); -- how far back it is read; null for as far as the log goes
alter table event_streams add column partitions smallint check (partitions between 1 and 256); -- of consumer groups that do not say

-- Told to whoever serves the stream, so that it ends there at once. A hint: all look for themselves as well.
create function tell_stream_change() returns trigger language plpgsql set search_path = public, pg_temp as $$
begin
  perform pg_notify('signalbox_stream_changes', coalesce(new.tenant, old.tenant));
  return null;
end $$;
create trigger tell_change after insert or update or delete on event_streams
  for each row execute function tell_stream_change();

grant select, insert, update, delete on stream_tokens, stream_nodes, stream_answers to signalbox_worker;

insert into schema_migrations (name) values ('0011_streams.sql');
