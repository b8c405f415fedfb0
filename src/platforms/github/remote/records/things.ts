import { SignalboxError } from "../../../../core/errors.ts"
import type { RecordSource } from "./record.ts"

/** A pull request, whole; null where it is gone. */
export function pullRequest({ client, path, name }: RecordSource, number: number): Promise<unknown> {
  return orNull(client.get(`${path}/pulls/${number}`, `pull request ${name}#${number}`))
}

/** An issue, or a pull request as the issue of its number; null where it is gone. */
export function issue({ client, path, name }: RecordSource, number: number): Promise<unknown> {
  return orNull(client.get(`${path}/issues/${number}`, `issue ${name}#${number}`))
}

/** What an answer holds; null where there is no such thing. */
export async function orNull(answer: Promise<{ data: unknown }>): Promise<unknown> {
  try {
    return (await answer).data
  } catch (error) {
    if (error instanceof SignalboxError && (error.status === 404 || error.status === 410)) return null
    throw error
  }
}
