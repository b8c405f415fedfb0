import { expect, it } from "vitest"
import { hubOf } from "../../src/cli/remote.ts"

it.each([
  [{}, {}, "an API key is needed: --key KEY, or set SIGNALBOX_API_KEY"],
  [{ SIGNALBOX_API_KEY: "" }, {}, "an API key is needed, and SIGNALBOX_API_KEY is empty: --key KEY"],
  [{ SIGNALBOX_API_KEY: " " }, {}, "an API key is needed, and SIGNALBOX_API_KEY is empty: --key KEY"],
  [{ SIGNALBOX_ADMIN_KEY: "" }, {}, "an API key is needed, and SIGNALBOX_ADMIN_KEY is empty: --key KEY"],
  [{ SIGNALBOX_API_KEY: "sb_one" }, { key: "" }, "an API key is needed, and --key is empty: --key KEY"],
])(
  "%j with %j: no key is told before the hub is asked, and what is empty is named",
  (env, options, words) => {
    expect(() => hubOf({ env, options })).toThrow(words)
  },
)

it("what is empty counts as not set, as it does for the hub", () => {
  const env = { SIGNALBOX_URL: "", PORT: "", SIGNALBOX_API_KEY: "", SIGNALBOX_ADMIN_KEY: "an admin key" }
  expect(hubOf({ env, options: {} })).toEqual({ base: "http://localhost:3000", key: "an admin key" })
})

it.each([
  [{}, { url: "localhost:3951" }, "--url", "localhost:3951"],
  [{}, { url: "127.0.0.1:3951" }, "--url", "127.0.0.1:3951"],
  [{ SIGNALBOX_URL: "hub.example" }, {}, "SIGNALBOX_URL", "hub.example"],
])("%j with %j: an address without a scheme is told as that", (env, options, name, address) => {
  const words = `${name} must begin with http:// or https://, not be "${address}": http:// is missing, so say http://${address}`
  expect(() => hubOf({ env: { SIGNALBOX_API_KEY: "sb_one", ...env }, options })).toThrow(
    expect.objectContaining({ code: "configuration", message: words }) as Error,
  )
})
