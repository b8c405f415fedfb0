import { expect, expectTypeOf, it } from "vitest"
import type { GithubEventName, GithubEvents } from "../../src/platforms/github/events.ts"

// The types are the promise: `tsc` fails where one of these lines, or the lack of an error, is wrong.
function on<Name extends GithubEventName>(
  name: Name,
  handler: (payload: GithubEvents[Name]) => void,
): string {
  expectTypeOf(handler).toBeFunction()
  return name
}

it("a payload has the type of its event and action", () => {
  on("pull_request:opened", (payload) => {
    expectTypeOf(payload.pull_request.title).toEqualTypeOf<string>()
    expectTypeOf(payload.action).toEqualTypeOf<"opened">()
    // @ts-expect-error -- no such field
    expectTypeOf(payload.pull_request.titel).toBeAny()
  })
  on("push", (payload) => {
    expectTypeOf(payload.commits[0]?.message).toEqualTypeOf<string | undefined>()
  })
  on("issue_comment:created", (payload) => expectTypeOf(payload.comment.body).toEqualTypeOf<string>())
  on("pull_request:synchronize", (payload) => expectTypeOf(payload.after).toEqualTypeOf<string>())
  on("pull_request", (payload) => expectTypeOf(payload.pull_request.number).toEqualTypeOf<number>())
  expect(
    on("pull_request", (payload) =>
      expectTypeOf(payload.action).extract<"opened">().toEqualTypeOf<"opened">(),
    ),
  ).toBe("pull_request")
})

it("a name that GitHub does not have does not compile", () => {
  // @ts-expect-error -- a typo in the action
  on("pull_request:openend", () => {})
  // @ts-expect-error -- a typo in the event
  on("pul_request", () => {})
  // @ts-expect-error -- octokit's own spelling
  on("pull_request.opened", () => {})
  expectTypeOf<"pull_request:opened">().toExtend<GithubEventName>()
  expectTypeOf<"deployment_status:created">().toExtend<GithubEventName>()
  expect(on("ping", () => {})).toBe("ping")
})
