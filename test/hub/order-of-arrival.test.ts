import { assert as holds, asyncProperty, shuffledSubarray, subarray } from "fast-check"
import { expect, it } from "vitest"
import { limitsStory, loggerStory } from "../../fixtures/correlation/story.ts"
import type { StoryRequest } from "../../fixtures/correlation/request.ts"
import { sendWebhook, startTestHub, until, type TestHub } from "../support/hub.ts"

const hub = await startTestHub()
const story = limitsStory()
const requests = [...story.requests, ...loggerStory().requests]

/** Everything derived, but for what names an event by its id or its place in the log. */
async function derived({ database }: TestHub) {
  const links = await database.work.query(
    `select from_entity, to_entity, relation, rule, rule_version, strength, confidence, evidence, occurred_at
     from event_correlations order by 1, 2, 3, 4, occurred_at, evidence::text`,
  )
  const events = await database.work.query(
    `select e.delivery_id, e.type, e.entity, e.title, e.url, e.actor_id, e.occurred_at,
       (select json_agg(json_build_array(r.subject, r.entity, r.relation, r.evidence) order by r.ordinal)
        from event_references r where r.event_id = e.id) as refs
     from events e join event_log l on l.event_id = e.id order by 1`,
  )
  return { links: links.rows, events: events.rows }
}

async function timelineOf(entity: string): Promise<string[]> {
  const { body } = await hub.json(`/api/v1/entities/${encodeURIComponent(entity)}/timeline?limit=500`)
  return body.events.map(({ deliveryId }: { deliveryId: string }) => deliveryId)
}

async function tell(order: readonly StoryRequest[]) {
  await hub.database.work.query(
    `delete from events; delete from event_keys; delete from event_states; delete from event_log;
     delete from event_references; delete from event_correlations; delete from event_processing_status; delete from event_performance;
     delete from github_events; delete from linear_events; delete from slack_events;
     delete from deployment_events`,
  )
  // four senders at a time, so that batches and workers interleave
  const waiting = [...order]
  const lane = async () => {
    for (let request = waiting.shift(); request !== undefined; request = waiting.shift()) {
      const response = await sendWebhook(hub.url, request.platform, request)
      expect(response.ok, `${request.label}: ${response.status}`).toBe(true)
    }
  }
  await Promise.all([lane(), lane(), lane(), lane()])
  const logged = () => hub.database.work.query<{ n: number }>("select count(*) as n from event_log")
  await until(logged, ({ rows }) => rows[0]?.n === requests.length)
  return { ...(await derived(hub)), timeline: (await timelineOf(story.issue)).toSorted() }
}

it("whatever comes first or twice, events, references, links and the timeline end the same", async () => {
  const told = await tell(requests)
  expect(told.timeline).toHaveLength(story.requests.length)
  expect(told.links.length).toBeGreaterThan(20)
  const orders = shuffledSubarray(requests, { minLength: requests.length }).chain((order) =>
    subarray(order).map((repeats) => [...order, ...repeats]),
  )
  await holds(
    asyncProperty(orders, async (order) => {
      expect(await tell(order)).toEqual(told)
    }),
    { numRuns: 10, endOnFailure: true },
  )
}, 120_000)
