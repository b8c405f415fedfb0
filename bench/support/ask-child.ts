import type { ChildProcess, Serializable } from "node:child_process"
import { once } from "node:events"

/** Sends a child process a message and waits for its next one; throws where the child ends instead. */
export async function askChild(child: ChildProcess, request: Serializable): Promise<unknown> {
  const settled = new AbortController()
  const { signal } = settled
  const exited = once(child, "exit", { signal }).then(() => {
    throw new Error("a child process of the bench failed")
  })
  const answered = once(child, "message", { signal })
  child.send(request)
  try {
    const [answer] = await Promise.race([answered, exited])
    return answer
  } finally {
    settled.abort() // neither event is waited for any more
    await Promise.allSettled([answered, exited])
  }
}

/** In the child: sends the parent an answer as soon as it is there; the process ends where there is none. */
export function tellParent(answer: Promise<Serializable>): void {
  answer.then(
    (report) => process.send?.(report),
    (error: unknown) => {
      console.error(error)
      process.exit(1)
    },
  )
}
