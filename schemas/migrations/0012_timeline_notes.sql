-- Where the hub has left a link to a timeline: once a place. The row is there before the call that says
-- it, so that whoever finds it unfinished looks for the note first.
create table timeline_notes (
  tenant text not null,
  place text not null check (octet_length(place) <= 1024), -- key of the thread, the pull request, the issue
  event_id uuid not null, -- the event that is at it, or was last
  begun_at timestamptz not null default now(), -- before the first attempt
  held_until timestamptz not null, -- before this an attempt may be under way
  attempts integer not null default 1, -- rises with every attempt: who lost it writes nothing any more
  left_at timestamptz,
  note_id text, -- the provider's own name for what was said
  primary key (tenant, place)
);
comment on table timeline_notes is 'Links to timelines that the hub has posted, one row a thread, pull request or issue.';

grant select, insert, update, delete on timeline_notes to signalbox_worker;
alter table timeline_notes enable row level security;
create policy worker on timeline_notes to signalbox_worker using (true) with check (true);
create policy tenant on timeline_notes for select to signalbox_reader using (tenant = (select current_setting('signalbox.tenant', true)));
grant select on timeline_notes to signalbox_reader;

insert into schema_migrations (name) values ('0012_timeline_notes.sql');
