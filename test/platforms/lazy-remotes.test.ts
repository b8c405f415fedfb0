import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { expect, test } from "vitest"

const run = promisify(execFile)

/** The packages that a process loads, by its first line of code and its second. */
async function loaded(second: string): Promise<{ first: string[]; second: string[] }> {
  const script = `
    const { registerHooks } = await import("node:module")
    const seen = new Set()
    registerHooks({ resolve(specifier, context, next) { seen.add(specifier); return next(specifier, context) } })
    const sdks = () => [...seen].filter((one) => /^@(linear|slack)\\//.test(one)).toSorted()
    const { platforms } = await import("./src/platforms/index.ts")
    const first = sdks()
    await ${second}
    console.log(JSON.stringify({ first, second: sdks() }))`
  const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", script])
  return JSON.parse(stdout)
}

test.each([
  ["linear", "@linear/sdk"],
  ["slack", "@slack/web-api"],
])("the SDK of %s is loaded when its API is first needed, and not before", async (name, sdk) => {
  const { first, second } = await loaded(`platforms.find(({ name }) => name === "${name}").calls.load()`)
  expect(first).toEqual([])
  expect(second).toContain(sdk)
})
