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
begin
  foreach wanted in array array['signalbox_worker', 'signalbox_reader'] loop
    if not exists (select from pg_roles where rolname = wanted) then
      begin
        execute format('create role %I nologin', wanted);
      exception
        when duplicate_object or unique_violation then null; -- another database of this server was faster
        when insufficient_privilege then
          raise exception 'role % is missing and % may not create it', wanted, current_user
            using hint = format('as an administrator: CREATE ROLE %I NOLOGIN; GRANT %I TO %I;', wanted, wanted, current_user);
      end;
    end if;
    if not pg_has_role(current_user, wanted, 'member') then
      execute format('grant %I to current_user', wanted);
    end if;
  end loop;
end $$;

grant usage on schema public to signalbox_worker, signalbox_reader;

insert into schema_migrations (name) values ('0001_roles.sql');
