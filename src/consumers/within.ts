/** Whether something is done before a deadline passes. What it rejects with, this rejects with. */
export async function within(done: Promise<unknown>, deadline: AbortSignal): Promise<boolean> {
  const passed = Promise.withResolvers<boolean>()
  const pass = () => passed.resolve(false)
  if (deadline.aborted) pass()
  deadline.addEventListener("abort", pass)
  try {
    return await Promise.race([done.then(() => true), passed.promise])
  } finally {
    deadline.removeEventListener("abort", pass)
  }
}
