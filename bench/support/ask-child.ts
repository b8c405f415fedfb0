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
