-- The total order of processed events, and everyone who reads along it.

create table event_log (
  position bigint not null,
  event_id uuid not null,
  tenant text not null,
  platform text not null,
  source text not null,
  type text not null,
  name text not null,
  priority text not null,
  entity text,
  actor_id text,
  occurred_at timestamptz not null,
  correlation_id text not null,
  bytes integer not null default 0, -- of the body, so that a page of bodies is cut to size before one is read
  -- Orders what one thing saw at one time of its sender's clock, by the deliveries and not by their arrival.
  tie bigint not null default 0,
  appended_at timestamptz not null,
  primary key (event_id)
) partition by range (event_id);
create index event_log_position on event_log (position);
-- A timeline takes its page from this index alone: two of its events seldom lie on one page of the table.
create index event_log_entity on event_log (tenant, entity, occurred_at, tie, position) include (event_id, bytes);
create index event_log_type on event_log (tenant, type, position);
create index event_log_correlation on event_log (tenant, correlation_id);

-- The last position given out. Its row lock is the serialized step: it is taken last in a
-- transaction and held to the commit, so positions become visible in order and without holes,
-- which no sequence can promise. A plain number, so dump and restore keep every cursor valid.
create table event_log_head (
  singleton boolean primary key default true check (singleton),
  position bigint not null
) with (fillfactor = 10);
insert into event_log_head (position) values (0);

create table event_streams (
  tenant text not null default 'default',
  name text not null check (name ~ '^[a-z][a-z0-9_-]{0,62}$'),
  filter jsonb not null default '{}',
  built_in boolean not null default false,
  created_at timestamptz not null default now(),
  primary key (tenant, name)
);
insert into event_streams (name, filter, built_in) values
  ('all_events', '{}', true),
  ('github_events', '{"platforms": ["github"]}', true),
  ('linear_events', '{"platforms": ["linear"]}', true),
  ('slack_events', '{"platforms": ["slack"]}', true),
  ('deployment_events', '{"types": ["deployment.*", "github.deployment.*", "github.deployment_status.*"]}', true),
  ('pr_events', '{"types": ["github.pull_request.*", "github.pull_request_review.*", "github.pull_request_review_comment.*", "github.pull_request_review_thread.*"]}', true),
  ('issue_events', '{"types": ["linear.issue.*", "github.issues.*"]}', true),
  ('high_priority', '{"priority": ["critical", "high"]}', true);

-- A consumer is a handler, a named subscription or a group: one machine underneath.
create table stream_subscriptions (
  id uuid primary key default gen_random_uuid(),
  tenant text not null default 'default',
  name text not null,
  kind text not null check (kind in ('handler', 'callback', 'webhook', 'group')),
  stream text not null,
  filter jsonb not null default '{}',
  partitions smallint not null default 1 check (partitions between 1 and 256),
  status text not null default 'active' check (status in ('active', 'paused')),
  created_at timestamptz not null default now(),
  last_seen_at timestamptz not null default now(),
  unique (tenant, name)
);

-- Who runs consumers. A member renews one row, whatever the number of its partitions, and every lease
-- it holds lives as long as that row: past expires_at any other member may take them over.
create table consumer_members (
  id text primary key,
  subscriptions uuid[] not null, -- those it is ready to run
  expires_at timestamptz not null
);

-- A cursor per (consumer, partition), leased to a member. The fence rises with every change of hands:
-- a holder whose lease was taken over writes nothing any more.
create table subscription_partitions (
  subscription_id uuid not null references stream_subscriptions (id) on delete cascade,
  partition smallint not null,
  position bigint not null,
  lease_owner text, -- consumer_members.id, which may be gone
  fence bigint not null default 0,
  primary key (subscription_id, partition)
);

-- State of one event at one consumer. Attempts are counted when the attempt begins, so that an
-- event that kills its worker reaches the dead letters too. A page is begun at once, so an attempt
-- found unfinished need not have been made: only one made alone tells against its event.
create table event_deliveries (
  event_id uuid not null,
  subscription_id uuid not null,
  tenant text not null,
  partition smallint not null,
  position bigint not null,
  status text not null check (status in ('running', 'delivered', 'retrying', 'dead', 'skipped')),
  attempts integer not null,
  alone integer not null default 0, -- the last so many attempts were made with nothing else beside them
  next_attempt_at timestamptz,
  last_error text,
  result jsonb,
  first_attempt_at timestamptz not null,
  finished_at timestamptz,
  primary key (event_id, subscription_id)
) partition by range (event_id);
create index event_deliveries_due on event_deliveries (subscription_id, partition, next_attempt_at)
  where status in ('running', 'retrying');

create table dead_letters (
  id uuid primary key default gen_random_uuid(),
  tenant text not null,
  kind text not null check (kind in ('processing', 'handler', 'callback', 'webhook', 'group', 'outbox')),
  event_id uuid not null,
  subscription_id uuid, -- null for processing
  attempts integer not null,
  error_code text not null,
  error text not null,
  status text not null default 'open' check (status in ('open', 'retried', 'discarded')),
  created_at timestamptz not null default now(),
  settled_at timestamptz
);
create unique index dead_letters_open on dead_letters (event_id, subscription_id) nulls not distinct
  where status = 'open';

insert into schema_migrations (name) values ('0005_log.sql');
