import { spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { expect, test } from "vitest"
import { decoratedMethods, handlerDecorator } from "../../src/handlers/decorators.ts"
import { createHub } from "../../src/hub.ts"
import { deliveriesOf } from "../consumers/log.ts"
import { testDatabase } from "../support/database.ts"
import { logEvents } from "../support/events.ts"
import { until } from "../support/hub.ts"

const database = await testDatabase()
const root = fileURLToPath(new URL("../../", import.meta.url))

test("the methods of the example's class handle their events, under the names of class and method", async () => {
  const example = spawn(
    process.execPath,
    ["--import", "./examples/compile-decorators.ts", "examples/decorators.ts"],
    {
      cwd: root,
      env: {
        PATH: process.env["PATH"],
        DATABASE_URL: database.url,
        PORT: "0",
        HOST: "127.0.0.1",
        LOG_LEVEL: "error",
        SIGNALBOX_ADMIN_KEY: "k".repeat(32),
      },
      stdio: ["ignore", "inherit", "inherit"],
    },
  )
  const exit = once(example, "exit")
  try {
    const names = async () => {
      const { rows } = await database.work.query<{ name: string }>(
        "select name from stream_subscriptions order by name",
      )
      return rows.map(({ name }) => name)
    }
    await until(names, (found) => found.length === 3, 30_000)
    expect(await names()).toEqual([
      "github/pull_request:opened/ReviewDesk.opened",
      "on/deployment.production.*/ReviewDesk.deployed",
      "review-desk/reviewed",
    ])
    const entity = "github:pull_request:acme/api#42"
    await logEvents(database.work, [
      {
        platform: "github",
        name: "pull_request:opened",
        type: "github.pull_request.opened",
        entity,
        payload: { pull_request: { title: "Limit the rate" } },
      },
    ])
    const opened = await until(
      () => deliveriesOf(database, "github/pull_request:opened/ReviewDesk.opened"),
      ([row]) => row?.status === "delivered",
    )
    expect(opened[0]?.result).toEqual({ waiting: 1 })
    const [, deployed] = await logEvents(database.work, [
      {
        platform: "github",
        name: "pull_request_review:submitted",
        type: "github.pull_request_review.submitted",
        entity,
        payload: { review: { state: "approved" } },
      },
      {
        platform: "deployment",
        name: "production:success",
        type: "deployment.production.success",
        payload: {},
      },
    ])
    const reviewed = await until(
      () => deliveriesOf(database, "review-desk/reviewed"),
      ([row]) => row?.status === "delivered",
    )
    expect(reviewed[0]?.result).toEqual({ state: "approved", waiting: 0 })
    const reminded = await until(
      () => deliveriesOf(database, "on/deployment.production.*/ReviewDesk.deployed"),
      ([row]) => row?.status === "delivered",
    )
    const submitted = await until(
      async () => {
        const { rows } = await database.work.query<{ type: string; causation_id: string | null }>(
          "select type, causation_id from events where id = $1",
          [reminded[0]?.result],
        )
        return rows[0]
      },
      (event) => typeof event?.causation_id === "string", // it is processed then
    )
    expect(submitted).toEqual({ type: "reviews.reminder.due", causation_id: deployed?.id })
  } finally {
    example.kill("SIGTERM")
    await exit
  }
  expect(example.exitCode).toBe(0)
}, 60_000)

/** Decorates a method the way a compiler does it, for what the syntax of this file cannot say. */
function decorate<This extends object>(
  prototype: This,
  name: keyof This & string,
  decorator: ReturnType<typeof handlerDecorator>,
): (instance: This) => void {
  const initializers: ((this: This) => void)[] = []
  const method = (instance: This) => instance[name] as () => unknown
  decorator(method(prototype), {
    kind: "method",
    name,
    static: false,
    private: false,
    access: { has: (object: This) => name in object, get: method },
    addInitializer: (initializer: (this: This) => void) => void initializers.push(initializer),
    metadata: {},
  })
  return (instance) => {
    for (const initializer of initializers) initializer.call(instance)
  }
}

test("a method is looked up when it runs, so that a subclass may replace it", () => {
  class Base {
    handle(): string {
      return "base"
    }
  }
  class Derived extends Base {
    override handle(): string {
      return "derived"
    }
  }
  const construct = decorate(Base.prototype, "handle", handlerDecorator("github", "push"))
  const instance = new Derived()
  construct(instance)
  const [method] = decoratedMethods(instance)
  expect(method).toMatchObject({ platform: "github", pattern: "push", label: "Derived.handle" })
  const run: ((...given: never[]) => unknown) | undefined = method?.handler
  expect(run?.()).toBe("derived")
  expect(decoratedMethods(new Base())).toEqual([])
})

test("an instance is registered once, and only one that has something to register", () => {
  const hub = createHub({ databaseUrl: database.url, env: {} })
  expect(() => hub.register({})).toThrow(/no decorated methods/)
  class Wrong {
    handle(): void {}
  }
  const wrong = new Wrong()
  decorate(Wrong.prototype, "handle", handlerDecorator("github", "pul_request"))(wrong)
  expect(() => hub.register(wrong)).toThrow(/did you mean "pull_request"/)
  class Right {
    handle(): void {}
  }
  const construct = decorate(Right.prototype, "handle", hub.github.event("push", { name: "right" }))
  const right = new Right()
  construct(right)
  expect(hub.register(right).map(({ name }) => name)).toEqual(["right"])
  expect(() => hub.register(right)).toThrow(/registered already/)
})
