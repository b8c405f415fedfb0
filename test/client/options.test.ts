import { expect, it } from "vitest"
import { createClient } from "../../src/client/index.ts"

const client = createClient({ url: "http://127.0.0.1:9", key: "k" })

/** As a program without types has it. */
function untyped(options: object): object {
  return options
}

it.each([
  [
    "stream",
    () => client.stream("all_events", untyped({ typs: ["a.b"] })),
    "option of stream: typs",
    "types",
  ],
  ["events", () => client.events(untyped({ type: "a.b" })), "option of events: type", "types"],
  [
    "group",
    () => client.group("g", untyped({ onerror: () => "stop" })),
    "option of group: onerror",
    "onError",
  ],
])("an option that %s does not know is refused, with those that it knows", (_, call, words, meant) => {
  expect(call).toThrow(
    expect.objectContaining({
      name: "SignalboxClientError",
      code: "bad_request",
      retryable: false,
      message: expect.stringMatching(new RegExp(`unknown ${words}; known: .*\\b${meant}\\b`)) as string,
    }) as Error,
  )
})

it("a transport that there is not is refused", () => {
  expect(() => client.stream("all_events", untyped({ transport: "foo" }))).toThrow(
    'transport must be sse or websocket, not "foo"',
  )
})

it("options that are given as undefined are as if they were not", () => {
  expect(() => client.stream("all_events", { transport: undefined, types: undefined })).not.toThrow()
})

it.each(["localhost:3951", "127.0.0.1:3951", "hub.example"])(
  "an address without a scheme is a mistake, and no hub that is away: %s",
  (url) => {
    expect(() => createClient({ url, key: "k" })).toThrow(
      expect.objectContaining({
        code: "configuration",
        retryable: false,
        message: expect.stringContaining(`http:// is missing, so say http://${url}`) as string,
      }) as Error,
    )
  },
)
