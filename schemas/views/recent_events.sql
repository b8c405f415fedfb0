-- recent_events: every event as the hub knows it, newest first, one row each.
--   position      place in the log; null until processed
--   status        pending (nothing tried yet), retrying, processed or dead
--   payload       the body as jsonb; see event_payload. Computed only where it is selected.
-- Under signalbox_reader it shows the rows of one tenant, as the tables do.
create or replace view recent_events with (security_invoker = true) as
  select
    e.id,
    l.position,
    e.tenant,
    e.platform,
    e.source,
    e.type,
    e.name,
    coalesce(s.status, 'pending') as status,
    coalesce(s.attempts, 0) as attempts,
    s.last_error,
    e.delivery_id,
    e.priority,
    e.actor_id,
    e.actor_name,
    e.actor_bot,
    e.entity,
    e.title,
    e.url,
    e.occurred_at,
    e.received_at,
    s.processed_at,
    e.correlation_id,
    e.causation_id,
    e.content_type,
    event_payload(e.raw, e.content_type) as payload
  from events e
  left join event_processing_status s on s.event_id = e.id
  left join event_log l on l.event_id = e.id
  order by e.id desc;

grant select on recent_events to signalbox_reader, signalbox_worker;
