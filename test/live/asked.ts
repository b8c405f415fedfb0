import type pg from "pg"
import type { Database } from "../../src/store/database.ts"
import { createRepository, minute, statusOf, takeIn } from "./repository.ts"

/** A repository that is worked on. */
export type Repository = ReturnType<typeof createRepository>

/** Takes in what happened in a repository, and answers where things are live, in short. */
export function asker(database: Database, writer: pg.Pool) {
  return async (repository: Repository) => {
    const tenant = await takeIn(writer, repository.deliveries)
    const status = (entity: string, asOf: Date | null = null) => statusOf(database, tenant, entity, asOf)
    return {
      tenant,
      status,
      /** `production@3` for each environment it is live in, with the minute since when. */
      live: async (entity: string): Promise<string[]> =>
        (await status(entity)).live.map(
          ({ environment, since }) => `${environment}@${(since.getTime() - Date.parse(minute(0))) / 60_000}`,
        ),
      why: async (entity: string): Promise<string[]> =>
        (await status(entity)).pending.map(({ environment, reason }) => `${environment}: ${reason}`),
    }
  }
}

/** A repository whose production is at its beginning. */
export function deployedOnce(): Repository {
  const repository = createRepository()
  repository.deploy(1, repository.grow("main", "Begin for good"))
  return repository
}

/** Key of a pull request of `acme/api`. */
export function pull(number: number): string {
  return `github:pull_request:acme/api#${number}`
}
