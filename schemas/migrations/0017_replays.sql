-- Replays: events of the past, handed once more to one consumer.

create table replays (
  id uuid primary key, -- UUIDv7
  tenant text not null, -- whose events
  subscription_id uuid not null references stream_subscriptions (id) on delete cascade,
  -- What is chosen: all of these must hold, besides what the consumer itself wants.
  filter jsonb not null default '{}',
  since timestamptz, -- of receipt
  until timestamptz, -- of receipt, excluded
  entities text[], -- the events of a timeline, as it stood when the replay was made
  correlation_id text,
  deliveries text[] check (deliveries <@ array['delivered', 'dead', 'skipped']), -- what became of the event here before
  after bigint not null, -- the positions: this one excluded,
  up_to bigint not null, -- this one included
  rate_per_second double precision check (rate_per_second > 0),
  max_outstanding integer not null check (max_outstanding between 1 and 10000),
  status text not null default 'running' check (status in ('running', 'paused', 'cancelled', 'completed')),
  -- Whether something was handed on whose outcome is not counted yet.
  settling boolean not null default false,
  position bigint not null, -- up to here the log was looked through
  gone_from bigint, -- positions that retention had dropped before they were looked at, both ends included;
  gone_to bigint, -- what lies between was dropped in part, where it happened again
  estimate bigint, -- how many events it is likely to be; null where that takes too long to count
  estimate_exact boolean not null default false,
  matched bigint not null default 0,
  under_way bigint not null default 0, -- matched, and left alone: they are on their way to the consumer already
  delivered bigint not null default 0,
  failed bigint not null default 0, -- used up their attempts
  skipped bigint not null default 0, -- the consumer did not want them after all
  withdrawn bigint not null default 0, -- handed on, and taken back when the replay was cancelled
  paced_until timestamptz, -- at its rate, the next event is due then
  step_at timestamptz not null default now(), -- when its next step is due
  created_by text not null, -- id of the key
  created_at timestamptz not null default now(),
  finished_at timestamptz
);
comment on table replays is 'Events of the past that are handed once more to one consumer, and how far that has come.';
create index replays_by_tenant on replays (tenant, id);
create index replays_due on replays (step_at) where status = 'running' or settling;

-- A delivery belongs to the last replay that made it due. One that is `replayed` is taken up behind what
-- is new. `replay_tallied` is false until its outcome is counted, and null where no replay has been.
-- `replay_before` is what a cancelled replay puts back: null where the consumer had not had the event.
alter table event_deliveries add column replay_id uuid;
alter table event_deliveries add column replayed boolean not null default false;
alter table event_deliveries add column replay_tallied boolean;
alter table event_deliveries add column replay_before jsonb;
drop index event_deliveries_due;
create index event_deliveries_due on event_deliveries (subscription_id, partition, replayed, next_attempt_at)
  where status in ('running', 'retrying');
create index event_deliveries_outstanding on event_deliveries (replay_id) where not replay_tallied;

alter table webhook_attempts add column replay_id uuid;

-- The dead letters of one consumer, to be tried again together.
create index dead_letters_of_consumer on dead_letters (subscription_id, id) where status = 'open';

alter table replays enable row level security;
create policy worker on replays to signalbox_worker using (true) with check (true);
create policy tenant on replays for select to signalbox_reader
  using (tenant = (select current_setting('signalbox.tenant', true)));
grant select, insert, update, delete on replays to signalbox_worker;
grant select on replays to signalbox_reader;

insert into schema_migrations (name) values ('0017_replays.sql');
