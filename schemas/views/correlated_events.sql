-- correlated_events: pairs of processed events that a link ties: each event on the entity a link
-- comes from, beside each event on the entity it leads to.
--   relation      of the link, read from → to
--   strength, confidence, rule, evidence    of the best proof of the link
--   shown_by      the event that proves it
-- A link is one row a pair, however many events prove it. Narrow it by an entity or an event: over
-- a whole log the pairs are many.
create or replace view correlated_events with (security_invoker = true) as
  select
    c.tenant,
    c.relation,
    c.strength,
    c.confidence,
    c.rule,
    c.evidence,
    c.event_id as shown_by,
    c.from_entity,
    a.event_id as from_event_id,
    a.position as from_position,
    a.type as from_type,
    a.occurred_at as from_occurred_at,
    c.to_entity,
    b.event_id as to_event_id,
    b.position as to_position,
    b.type as to_type,
    b.occurred_at as to_occurred_at
  from event_correlations c
  join event_log a on a.tenant = c.tenant and a.entity = c.from_entity
  join event_log b on b.tenant = c.tenant and b.entity = c.to_entity
  where c.known_to = 'infinity' and not exists (
    select from event_correlations d
    where d.known_to = 'infinity' and d.tenant = c.tenant and d.from_entity = c.from_entity and d.to_entity = c.to_entity
      and d.relation = c.relation
      -- 'strong' sorts before 'weak'; the earlier event decides between equals
      and (d.strength, -d.confidence, d.event_id, d.rule) < (c.strength, -c.confidence, c.event_id, c.rule)
  );

grant select on correlated_events to signalbox_reader, signalbox_worker;
