/**
 * Handlers as methods of a class. Decorators are an ordinary part of the package; only their syntax
 * needs a compiler, as Node runs TypeScript but does not know `@`: tsc, tsx and esbuild do it, and here
 *
 *     DATABASE_URL=… node --import ./examples/compile-decorators.ts examples/decorators.ts
 */
import {
  createHub,
  github,
  on,
  type GithubEvent,
  type HandlerContext,
  type HandlerEvent,
} from "../src/index.ts"

/** Keeps an eye on reviews, and asks for one where none has come. */
export class ReviewDesk {
  readonly #open = new Map<string, string>()

  @github.event("pull_request:opened")
  opened(event: GithubEvent<"pull_request:opened">): { waiting: number } {
    if (event.entity !== null) this.#open.set(event.entity, event.payload.pull_request.title)
    return { waiting: this.#open.size }
  }

  @github.event("pull_request_review:submitted", { name: "review-desk/reviewed" })
  reviewed(event: GithubEvent<"pull_request_review:submitted">): { state: string; waiting: number } {
    if (event.entity !== null) this.#open.delete(event.entity)
    return { state: event.payload.review.state, waiting: this.#open.size }
  }

  @on("deployment.production.*", { retry: { attempts: 3 } })
  async deployed(event: HandlerEvent, { submit }: HandlerContext): Promise<string> {
    const { eventId } = await submit({
      type: "reviews.reminder.due",
      title: `${this.#open.size} pull requests wait for a review`,
      payload: { deployment: event.id },
    })
    return eventId
  }
}

const hub = createHub()
hub.register(new ReviewDesk())
process.once("SIGTERM", () => void hub.stop())
process.once("SIGINT", () => void hub.stop())
await hub.start()
