-- Monthly partitions by UUIDv7: its first 48 bits are Unix milliseconds, so a month is a range of ids.
-- They know no time before 1970, which comes to the lowest of all.

create function uuidv7_lower_bound(at timestamptz) returns uuid
language sql immutable strict parallel safe as $$
  select (lpad(to_hex(greatest(floor(extract(epoch from at) * 1000)::bigint, 0)), 12, '0') || '00000000000000000000')::uuid
$$;

create function uuidv7_time(id uuid) returns timestamptz
language sql immutable strict parallel safe as $$
  select to_timestamp(('x' || lpad(left(replace(id::text, '-', ''), 12), 16, '0'))::bit(64)::bigint / 1000.0)
$$;

create view partitioned_tables as
  select c.oid as table_oid, c.relname as table_name, a.attname as key_column
  from pg_partitioned_table p
  join pg_class c on c.oid = p.partrelid
  join pg_attribute a on a.attrelid = c.oid and a.attnum = p.partattrs[0]
  where c.relnamespace = 'public'::regnamespace
    and c.relname in ('events', 'event_processing_status', 'event_performance', 'event_references',
      'event_log', 'event_deliveries', 'github_events', 'linear_events', 'slack_events', 'deployment_events');

-- Makes the partitions of last month, this one and `ahead` more, and answers how many it made. Rows
-- that fell into a default partition (nobody made partitions in time) are moved to where they belong.
-- It needs each table's default partition for itself for a moment: while others work on the tables,
-- call it once a table, so that it never waits for one table with a lock on another.
create function make_partitions(ahead integer default 3, only_table name default null) returns integer
language plpgsql security definer set search_path = public, pg_temp set timezone = 'UTC' as $$
declare
  parent record;
  month timestamptz;
  lowest uuid;
  beyond uuid;
  spare text;
  partition_name text;
  made integer := 0;
begin
  perform pg_advisory_xact_lock(hashtextextended('signalbox.make_partitions', 0));
  for parent in
    select * from partitioned_tables where table_name = coalesce(only_table, table_name) order by table_name
  loop
    spare := parent.table_name || '_default';
    if to_regclass(format('%I', spare)) is null then
      execute format('create table %I partition of %I default', spare, parent.table_name);
    end if;
    for n in -1 .. ahead loop
      month := date_trunc('month', now()) + make_interval(months => n);
      partition_name := parent.table_name || to_char(month, '_YYYY_MM');
      continue when to_regclass(format('%I', partition_name)) is not null;
      lowest := uuidv7_lower_bound(month);
      beyond := uuidv7_lower_bound(month + interval '1 month');
      execute format('create table %I (like %I including defaults including constraints including storage including compression)',
        partition_name, parent.table_name);
      execute format('with moved as (delete from %I where %I >= %L and %I < %L returning *) insert into %I select * from moved',
        spare, parent.key_column, lowest, parent.key_column, beyond, partition_name);
      execute format('alter table %I attach partition %I for values from (%L) to (%L)',
        parent.table_name, partition_name, lowest, beyond);
      made := made + 1;
    end loop;
  end loop;
  return made;
end $$;

-- Bodies are compressed with lz4 where this server was built with it, and stored as they are where
-- not: pglz costs more time than everything else that ingest does together.
do $$
begin
  execute 'alter table events alter column raw set compression lz4';
exception when feature_not_supported or invalid_parameter_value then
  execute 'alter table events alter column raw set storage external';
end $$;

revoke execute on function make_partitions(integer, name) from public;
grant execute on function make_partitions(integer, name) to signalbox_worker;

select make_partitions();

insert into schema_migrations (name) values ('0007_partitions.sql');
