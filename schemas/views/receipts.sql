-- receipts: one row for every request to a source: accepted (it became the event of that id),
-- duplicate, conflict, rejected (with the code and the reason) or unavailable (turned away with 503).
--   requests      how many requests the row stands for; floods of refusals are counted together
--   secret_id     which of the source's secrets verified it
-- Under signalbox_reader it shows the rows of one tenant, as the tables do.
create or replace view receipts with (security_invoker = true) as
  select id, tenant, platform, source, outcome, code, reason, delivery_id, event_id, secret_id, headers,
    body_bytes, requests, received_at
  from source_receipts
  union all
  select id, tenant, platform, source, 'accepted', null, null, delivery_id, id, secret_id, headers,
    octet_length(raw), 1, received_at
  from events where not backfilled;

grant select on receipts to signalbox_reader, signalbox_worker;
