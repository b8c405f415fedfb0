-- How far the log has been published to NATS JetStream. The stream itself tells, by its last message; this
-- is for when every message has aged out of it, and for whoever asks how far behind the publisher is.

create table log_publications (
  stream text primary key, -- of JetStream
  sequence bigint not null, -- the stream's own
  position bigint not null, -- of event_log
  published_at timestamptz not null default now()
);

grant select, insert, update, delete on log_publications to signalbox_worker;

insert into schema_migrations (name) values ('0018_log_publications.sql');
