-- webhook_receipts: one row for every request that a webhook subscription made: who got what, when, and what
-- came back.
--   subscription          its name; null once it has been removed
--   delivered             whether the answer was 2xx, so that the event is done with
--   status_code           null where no answer came: error says why
--   response              the first 1 KiB of the answer, its secrets masked
--   secret_ids            the secrets that signed it, the newest first
--   replay_id             the replay that sent it; null for an event that came by itself
-- Under signalbox_reader it shows the rows of one tenant, as the tables do.
create or replace view webhook_receipts with (security_invoker = true) as
  select a.tenant, s.name as subscription, a.subscription_id, a.event_id, l.type, l.entity, l.position,
    a.attempt, a.sent_at, a.duration_ms, a.status_code, coalesce(a.status_code between 200 and 299, false) as delivered,
    a.response, a.error, a.secret_ids, a.replay_id
  from webhook_attempts a
  left join stream_subscriptions s on s.id = a.subscription_id
  left join event_log l on l.event_id = a.event_id;

grant select on webhook_receipts to signalbox_reader, signalbox_worker;
