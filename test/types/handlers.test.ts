import { expect, expectTypeOf, it } from "vitest"
import {
  github as githubDecorator,
  knownNames,
  handledPlatforms,
  type EventMaps,
  type GithubEvent,
} from "../../src/event-maps.ts"
import { createHandlers } from "../../src/handlers/create-handlers.ts"
import type { HandlerContext } from "../../src/handlers/handler.ts"

// The types are the promise: `tsc` fails where one of these lines, or the lack of an error, is wrong.
const { platforms, on, subscribe } = createHandlers<EventMaps>({
  platforms: handledPlatforms,
  known: knownNames,
})
const { github, linear, slack, deployment, custom } = platforms

it("a GitHub handler gets the payload of its event and action", () => {
  github.event("pull_request:opened", (event, context) => {
    expectTypeOf(event.payload.pull_request.title).toEqualTypeOf<string>()
    expectTypeOf(event.payload.action).toEqualTypeOf<"opened">()
    expectTypeOf(event.entity).toEqualTypeOf<string | null>()
    expectTypeOf(event.position).toEqualTypeOf<number>()
    expectTypeOf(context).toEqualTypeOf<HandlerContext>()
    // @ts-expect-error -- no such field
    expectTypeOf(event.payload.pull_request.titel).toBeAny()
    // @ts-expect-error -- an event is what happened, and does not change
    event.title = "another"
  })
  github.event("push", ({ payload }) => expectTypeOf(payload.ref).toEqualTypeOf<string>())
  github.event("pull_request", ({ payload }) => {
    expectTypeOf(payload.action).extract<"opened" | "closed">().toEqualTypeOf<"opened" | "closed">()
  })
  const every = github.event("pull_request:*", ({ payload }) => {
    expectTypeOf(payload.pull_request.number).toEqualTypeOf<number>()
  })
  expect(every.name).toBe("github/pull_request:*")
})

it("a name that GitHub never sends compiles nowhere, and says at run time what was meant", () => {
  // @ts-expect-error -- a typo in the action
  expect(() => github.event("pull_request:openend", () => {})).toThrow(/did you mean "pull_request:opened"/)
  // @ts-expect-error -- a typo in the event
  expect(() => github.event("pul_request", () => {})).toThrow(/did you mean "pull_request"/)
  // @ts-expect-error -- octokit's own spelling
  expect(() => github.event("pull_request.opened", () => {})).toThrow(/did you mean "pull_request:opened"/)
  // @ts-expect-error -- nothing like it
  expect(() => github.event("constructor:*", () => {})).toThrow(/github has no event "constructor:\*"/)
})

it("handlers of the other platforms get their payloads too", () => {
  linear.event("Issue:update", ({ payload }) => {
    expectTypeOf(payload.data.id).toEqualTypeOf<string>()
    expectTypeOf(payload.type).toEqualTypeOf<"Issue">()
  })
  linear.event("AgentSessionEvent:created", ({ payload }) => {
    expectTypeOf(payload.agentSession.id).toEqualTypeOf<string>()
  })
  slack.event("app_mention", ({ payload }) => {
    expectTypeOf(payload.event.channel).toEqualTypeOf<string>()
  })
  slack.event("/deploy", ({ payload }) => expectTypeOf(payload.text).toEqualTypeOf<string>())
  deployment.event("production:success", ({ payload }) => {
    expectTypeOf(payload).not.toBeAny()
    expectTypeOf(payload.status).toExtend<string>()
  })
  deployment.event("production:*", ({ payload }) =>
    expectTypeOf(payload.sha).toExtend<string | null | undefined>(),
  )
  custom.event("billing.invoice.paid", ({ payload }) => expectTypeOf(payload.type).toEqualTypeOf<string>())
  // @ts-expect-error -- no such model
  linear.event("Isue:update", () => {})
  // @ts-expect-error -- no such event
  slack.event("app_mentioned", () => {})
  // @ts-expect-error -- no such status
  expect(deployment.event("production:succeeded", () => {}).name).toBe("deployment/production:succeeded")
})

it("a handler by type pattern or on a stream has a payload of which nothing is known", () => {
  const registered = on("deployment.*", ({ payload }) => expectTypeOf(payload).toBeUnknown())
  const subscribed = subscribe("pr_events", ({ payload }) => expectTypeOf(payload).toBeUnknown(), {
    filter: { types: "github.*" },
  })
  expect(registered.name).toBe("on/deployment.*")
  expect(subscribed).toHaveProperty("unsubscribe")
})

it("a decorator fits methods that take its event, and no other", () => {
  const opened = githubDecorator.event("pull_request:opened")
  type Method<This, Event> = ClassMethodDecoratorContext<This, (this: This, event: Event) => void>
  type Takes<Event> = (context: Method<object, Event>) => void
  const takes = (context: Method<object, GithubEvent<"pull_request:opened">>) => opened(() => {}, context)
  expectTypeOf(takes).toEqualTypeOf<Takes<GithubEvent<"pull_request:opened">>>()
  // @ts-expect-error -- a push is no pull request
  const refuses = (context: Method<object, GithubEvent<"push">>) => opened(() => {}, context)
  expect([takes, refuses]).toHaveLength(2)
  // @ts-expect-error -- a typo
  expect(githubDecorator.event("pull_request:openend")).toBeTypeOf("function")
})
