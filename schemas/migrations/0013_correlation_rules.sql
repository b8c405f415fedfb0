-- Rules of the users' own that have made links here, and the version by which that was last done of all that
-- is stored. By this a hub tells that it was started without one: its file lives beside the hub and not here.
create table correlation_rules (
  name text primary key check (octet_length(name) <= 64),
  version integer not null,
  recorded_at timestamptz not null default now()
);
comment on table correlation_rules is 'Correlation rules of one''s own that were in force on this database, with the version that derived the past.';

grant select, insert, update, delete on correlation_rules to signalbox_worker;

insert into schema_migrations (name) values ('0013_correlation_rules.sql');
