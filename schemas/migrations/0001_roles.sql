-- What has been applied. Each file records itself, so that psql and the hub keep one account.
create table schema_migrations (
  name text primary key,
  applied_at timestamptz not null default now()
);

-- Two roles that cannot log in. The hub connects as the owner of these tables, and takes on one of
-- them for all but migrations: signalbox_worker for ingest and processing (no DDL), signalbox_reader
-- for the API (SELECT only, rows of one tenant by row-level security).
-- Roles belong to the whole server: where the connecting user may not create them, an administrator
-- creates both beforehand, grants them to it, and this file finds them.
do $$
declare
  wanted text;
  -- To take on a role is a right of its own since PostgreSQL 16: whoever creates a role is made a
  -- member of it there that may grant it, but not become it.
  taking_on text := case when current_setting('server_version_num')::integer >= 160000 then 'set' else 'member' end;
begin
  foreach wanted in array array['signalbox_worker', 'signalbox_reader'] loop
    for attempt in 1 .. 50 loop
      begin
        if not exists (select from pg_roles where rolname = wanted) then
          execute format('create role %I nologin', wanted);
        end if;
        if not pg_has_role(current_user, wanted, taking_on) then
          execute format('grant %I to current_user', wanted);
        end if;
        exit;
      exception
        -- Another database of this server does the same at this instant.
        when duplicate_object or unique_violation or internal_error then
          if attempt = 50 then raise; end if;
          perform pg_sleep(0.05);
        when insufficient_privilege then
          raise exception '% may not create the role % or not grant it to itself', current_user, wanted
            using errcode = 'insufficient_privilege',
              hint = format('as an administrator: CREATE ROLE %I NOLOGIN; GRANT %I TO %I;', wanted, wanted, current_user);
      end;
    end loop;
  end loop;
end $$;

grant usage on schema public to signalbox_worker, signalbox_reader;

insert into schema_migrations (name) values ('0001_roles.sql');
