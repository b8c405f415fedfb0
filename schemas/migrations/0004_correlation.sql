-- Mentions found in events, and the edges that rules make of them. Every row stems from one event
-- alone, so their sum does not depend on the order or the number of times events arrive.

create table event_references (
  event_id uuid not null,
  tenant text not null,
  ordinal smallint not null, -- order of appearance within the event
  subject text, -- what refers to the entity, where that is not the event's own entity
  entity text not null check (octet_length(entity) <= 1024),
  relation text not null,
  evidence jsonb not null,
  primary key (event_id, ordinal)
) partition by range (event_id);
create index event_references_entity on event_references (tenant, entity);

-- Not partitioned: a walk along the edges would otherwise probe every partition at every step.
create table event_correlations (
  tenant text not null,
  from_entity text not null check (octet_length(from_entity) <= 1024),
  to_entity text not null check (octet_length(to_entity) <= 1024),
  relation text not null,
  rule text not null,
  event_id uuid not null,
  rule_version integer not null,
  strength text not null check (strength in ('strong', 'weak')),
  confidence real not null check (confidence between 0 and 1),
  evidence jsonb not null,
  occurred_at timestamptz not null,
  -- Whose state shows it, in which field and at what time of the sender's clock; null for what cannot be
  -- withdrawn. Of two states of one time the greater tie holds, for no better reason than that it is one.
  document text,
  field text,
  stated_at timestamptz,
  tie bytea,
  -- When it was known, by our clock: from the event that shows it to the first that came with a later state
  -- of the field. That one may have come before; then it never was.
  known_from timestamptz not null,
  known_to timestamptz not null default 'infinity',
  primary key (event_id, from_entity, to_entity, relation, rule)
);
-- A step of a walk reads one of these and no row: the neighbours of an entity by strength.
create index event_correlations_from on event_correlations (tenant, from_entity, strength, to_entity, relation)
  where known_to = 'infinity';
create index event_correlations_to on event_correlations (tenant, to_entity, strength, from_entity, relation)
  where known_to = 'infinity';
-- The same for what was known at another time.
create index event_correlations_from_then on event_correlations (tenant, from_entity, known_from);
create index event_correlations_to_then on event_correlations (tenant, to_entity, known_from);
create index event_correlations_document on event_correlations (tenant, document, known_to) where document is not null;
comment on table event_correlations is 'Link evidence: one row for each event that shows an edge between two entities.';

-- How things stood at a time of their senders' clocks, as events show it. What a field holds is told by the
-- state with the greatest (at, tie) among those that have it, so the order in which they came does not matter.
-- What is deleted for good is so at 'infinity' too. An event may tell of different fields at different times.
create table entity_states (
  tenant text not null,
  entity text not null check (octet_length(entity) <= 1024),
  event_id uuid not null,
  at timestamptz not null,
  tie bytea not null,
  fields jsonb not null,
  deleted boolean not null,
  known_from timestamptz not null,
  primary key (event_id, entity, at)
);
create index entity_states_latest on entity_states (tenant, entity, at desc, tie desc);
comment on table entity_states is 'Rows for each event that shows how a thing stood: its fields at that time of the sender''s clock.';

-- Keys of Linear's teams, as its events show them. They tell identifiers in texts from look-alikes, those of
-- earlier events too: what was logged up to `known_at` is read anew by them, in the order of its positions.
create table linear_team_keys (
  tenant text not null,
  key text not null check (octet_length(key) <= 64),
  first_event uuid not null, -- the event that showed it first to us
  known_at bigint not null, -- head of the log when it became known
  read_to bigint not null default 0, -- position up to which events have been read by it
  primary key (tenant, key)
);
comment on table linear_team_keys is 'Keys of Linear''s teams; texts are read by them, those of earlier events too.';

-- Fails what was read by other names than those that are known. Under the lock of the log, which whoever
-- learns a name takes.
create function expect_team_keys(tenants text[], counts integer[]) returns void language plpgsql as $$
begin
  if exists (
    select from unnest(tenants, counts) as read (tenant, keys)
    where read.keys <> (select count(*) from linear_team_keys k where k.tenant = read.tenant)
  ) then
    raise exception 'names were learned meanwhile' using errcode = 'serialization_failure';
  end if;
end $$;

insert into schema_migrations (name) values ('0004_correlation.sql');
