-- What an event is dealt into partitions by never changes, or consumers whose partitions have come to different
-- places would pass over it: its first entity, or its id where it had none, once `reprocess` gave it another.

alter table event_log add column order_key text; -- null while it is the entity, or the id where there is none

insert into schema_migrations (name) values ('0019_order_keys.sql');
