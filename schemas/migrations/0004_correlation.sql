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
  primary key (event_id, from_entity, to_entity, relation, rule)
);
-- A step of a walk reads one of these and no row: the neighbours of an entity by strength.
create index event_correlations_from on event_correlations (tenant, from_entity, strength, to_entity, relation);
create index event_correlations_to on event_correlations (tenant, to_entity, strength, from_entity, relation);
comment on table event_correlations is 'Link evidence: one row for each event that shows an edge between two entities.';

insert into schema_migrations (name) values ('0004_correlation.sql');
