/**
 * Whether a row of the log was known at the time that is the parameter `$n`, in SQL. The id of an event is
 * made when it is received, or before that by whoever publishes it; an hour later only if the clock was put
 * back meanwhile. So most of what came later is passed over within the index, and no more than the first few
 * are looked at themselves.
 */
export function receivedBy(n: number): string {
  return `event_id < (select uuidv7_lower_bound($${n}::timestamptz + interval '1 hour'))
    and (select e.received_at from events e where e.id = event_id) <= $${n}`
}
