-- Consumer groups: consumers of kind `group`, whose members are programs elsewhere. A member is a row of
-- consumer_members as a process of the hub is one, and holds leases as one does: `lease_owner` names it, and
-- the fence of its lease is what the API calls the generation.

create table consumer_groups (
  id uuid primary key references stream_subscriptions (id) on delete cascade,
  tenant text not null,
  session_ms integer not null check (session_ms between 2000 and 3600000),
  max_members smallint not null check (max_members between 1 and 1024),
  -- Rises whenever a member or a lease changes, by which the processes that serve members notice.
  version bigint not null default 0
);
comment on table consumer_groups is 'What a consumer group has besides what all consumers have, which is in stream_subscriptions.';

alter table consumer_members add column name text; -- what a group's member calls itself
alter table consumer_members add column joined_at timestamptz not null default now();
create index consumer_members_subscriptions on consumer_members using gin (subscriptions);

grant select, insert, update, delete on consumer_groups to signalbox_worker;
alter table consumer_groups enable row level security;
create policy worker on consumer_groups to signalbox_worker using (true) with check (true);
create policy tenant on consumer_groups for select to signalbox_reader
  using (tenant = (select current_setting('signalbox.tenant', true)));
grant select on consumer_groups to signalbox_reader;

-- Readers see the cursors and the members of their own tenant's consumers.
alter table subscription_partitions enable row level security;
create policy worker on subscription_partitions to signalbox_worker using (true) with check (true);
create policy tenant on subscription_partitions for select to signalbox_reader
  using (subscription_id in (select id from stream_subscriptions));
grant select on subscription_partitions to signalbox_reader;

alter table consumer_members enable row level security;
create policy worker on consumer_members to signalbox_worker using (true) with check (true);
create policy tenant on consumer_members for select to signalbox_reader
  using (name is not null and subscriptions && array(select id from stream_subscriptions where kind = 'group'));
grant select on consumer_members to signalbox_reader;

insert into schema_migrations (name) values ('0015_consumer_groups.sql');
