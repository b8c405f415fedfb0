import { z } from "zod"
import type { RouteDescription } from "../../core/route-description.ts"
import { newGroup, page, type ShownGroup, type ShownPartition } from "../consumer-groups.ts"
import { commit, fetching, heartbeat, join } from "../group-members.ts"
import { settling, taking } from "../group-replays.ts"
import { event } from "./event.ts"
import { anyObject, count, pageOf, textOrNull, time, type AsJson } from "./shapes.ts"

const group = "Consumer groups"

const consumerGroup = z
  .object({
    name: z.string(),
    stream: z.string(),
    filter: anyObject,
    partitionCount: count,
    sessionSeconds: z.number().describe("A member that gives no sign of life for so long is out."),
    maxMembers: count,
    createdAt: time,
  })
  .meta({
    id: "ConsumerGroup",
    description: "Members share the events of a stream, by entity.",
  }) satisfies z.ZodType<AsJson<ShownGroup>>

const partition = z.object({
  partition: count,
  owner: z.object({ id: z.string(), name: textOrNull }).nullable(),
  generation: count,
  committed: count,
  head: count,
  lag: count,
  lagSeconds: z.number(),
}) satisfies z.ZodType<AsJson<ShownPartition>>

const inFull = consumerGroup.extend({
  lag: count,
  lagSeconds: z.number(),
  members: z.array(
    z.object({ id: z.string(), name: z.string(), joinedAt: time, partitions: z.array(count) }),
  ),
  partitions: z.array(partition),
})

const place = z.object({ partition: count, generation: count, position: count })
const assignment = z.object({
  version: z.string().describe("Equal for equal shares; the heartbeat's `known`."),
  assignments: z.array(place).describe("The member's partitions, with what was committed last."),
  revoking: z.array(count).describe("Partitions that go to another once they are given back."),
})
const words = { name: "Name of the group.", member: "Id of the member, as it was told at joining." }
const member = "/api/v1/consumer-groups/{name}/members/{member}"
const ofMember = { group, scope: "groups:consume", problems: [404, 409] } as const

const managing: RouteDescription[] = [
  {
    method: "get",
    path: "/api/v1/consumer-groups",
    group,
    summary: "List consumer groups",
    scope: "events:read",
    query: page,
    answers: { 200: { words: "A page of groups.", schema: pageOf("groups", consumerGroup) } },
  },
  {
    method: "post",
    path: "/api/v1/consumer-groups",
    group,
    summary: "Make a consumer group",
    scope: "admin",
    body: { schema: newGroup },
    words: {
      name: "Name of the group.",
      stream: "Name of the stream that it reads.",
      filter: "Which events of the stream it wants.",
      start: "Where it begins: `earliest`, `latest` or a position.",
      partitions: "Into how many its events are dealt: so many members may share them.",
      sessionSeconds: "A member that gives no sign of life for so long is out.",
      maxMembers: "How many members it may have.",
    },
    answers: { 201: { words: "The group.", schema: consumerGroup } },
    problems: [409],
  },
  {
    method: "get",
    path: "/api/v1/consumer-groups/{name}",
    group,
    summary: "A group with its members, cursors and lag",
    scope: "events:read",
    words,
    answers: { 200: { words: "The group.", schema: inFull } },
    problems: [404],
  },
  {
    method: "delete",
    path: "/api/v1/consumer-groups/{name}",
    group,
    summary: "Remove a group and its cursors",
    scope: "admin",
    words,
    answers: { 204: { words: "It is gone." } },
    problems: [404],
  },
]

const consuming: RouteDescription[] = [
  {
    ...ofMember,
    method: "post",
    path: "/api/v1/consumer-groups/{name}/members",
    summary: "Join a group",
    body: { schema: join, optional: true },
    words: { name: "Name of the group; in the body, what the member calls itself." },
    answers: {
      201: {
        words: "The member. It stays one for as long as it gives signs of life.",
        schema: z.object({ member: z.string(), sessionSeconds: z.number(), partitionCount: count }),
      },
    },
  },
  {
    ...ofMember,
    method: "delete",
    path: member,
    summary: "Leave a group",
    words,
    answers: { 204: { words: "Its partitions go to the others at once." } },
  },
  {
    ...ofMember,
    method: "post",
    path: `${member}/heartbeat`,
    summary: "Give a sign of life, and hear what is one's share",
    query: heartbeat,
    words: {
      ...words,
      wait: "Seconds to wait for a share of another version than `known`.",
      known: "The version that is known already.",
    },
    answers: { 200: { words: "The member's share.", schema: assignment } },
  },
  {
    ...ofMember,
    method: "get",
    path: `${member}/events`,
    summary: "Fetch the events that come next in the member's partitions",
    query: fetching,
    words: {
      ...words,
      wait: "Seconds to wait where nothing is there yet.",
      max: "How many events at most.",
      bytes: "How many bytes of events at most, but for one alone.",
      after:
        "Where it has come, done or not: `partition:generation:position`, comma-separated; behind what is committed without it.",
      without: "Partitions of which it wants nothing now, comma-separated.",
      gaps: "`tell` has what retention dropped told beside the events; else that is a 410.",
    },
    answers: {
      200: {
        words: "Events, in order in each partition, and what to commit once they are done.",
        schema: z.object({
          events: z.array(z.object({ partition: count, event })),
          positions: z.array(place).describe("What to commit once all of this is done."),
          revoking: z.array(count).describe("Partitions to be given back: commit what is in hand."),
          gaps: z.array(z.object({ partition: count, from: count, to: count })),
          version: z.string(),
        }),
      },
    },
    problems: [404, 409, 410],
  },
  {
    ...ofMember,
    method: "post",
    path: `${member}/commit`,
    summary: "Commit what is done, and give partitions back",
    details:
      "All of it holds or nothing: 409 where a partition is not the member's by this generation any more.",
    body: { schema: commit },
    words: {
      ...words,
      positions: "Up to where each partition is done.",
      release: "Partitions that the member gives back.",
    },
    answers: { 200: { words: "It is committed.", schema: z.object({ committed: z.array(place) }) } },
  },
  {
    ...ofMember,
    method: "get",
    path: `${member}/sse`,
    summary: "Follow one's events as Server-Sent Events",
    details:
      "Frames are `assignment` (the member's share), events of any type (`{partition, event}`), `positions` (what to commit once all before it is done), `gap` and, as the last one, `error` with a problem. Being connected is the sign of life.",
    words,
    answers: { 200: { words: "Frames.", mediaType: "text/event-stream", schema: z.string() } },
  },
  {
    ...ofMember,
    method: "post",
    path: `${member}/replayed`,
    summary: "Take events that a replay hands to the group",
    body: { schema: taking, optional: true },
    words: {
      ...words,
      max: "How many at most.",
      bytes: "How many bytes of events at most.",
      seconds: "For so long they are the member's; what is not settled by then is due again.",
    },
    answers: {
      200: {
        words: "Events of the past.",
        schema: z.object({
          events: z.array(
            z.object({
              partition: count,
              replayId: textOrNull,
              attempt: count,
              event: event.extend({ replay: z.literal(true) }),
            }),
          ),
        }),
      },
    },
  },
  {
    ...ofMember,
    method: "post",
    path: `${member}/replayed/settle`,
    summary: "Say what became of replayed events",
    body: { schema: settling },
    words: { ...words, done: "Ids of events that are done.", failed: "Those that failed, and why." },
    answers: { 200: { words: "It is noted.", schema: z.object({ settled: count }) } },
  },
]

/** `/api/v1/consumer-groups`. */
export const consumerGroupRouteDescriptions: RouteDescription[] = [...managing, ...consuming]
