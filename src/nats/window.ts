/** What has been sent and is not acknowledged yet, bounded by number and bytes. */
export interface Window {
  /** Waits until there is room for so many bytes; throws what the first failure threw. */
  room(bytes: number): Promise<void>
  /** Counts something in until its acknowledgement. */
  add(bytes: number, acknowledged: Promise<void>): void
  /** Resolves when everything is acknowledged; throws what the first failure threw. */
  drained(): Promise<void>
}

export interface WindowLimits {
  messages: number
  bytes: number
}

/** Makes a window. One thing fits whatever its size, once nothing else is under way. */
export function createWindow(limits: WindowLimits): Window {
  let messages = 0
  let bytes = 0
  let failure: { error: unknown } | undefined
  let change = Promise.withResolvers<void>()

  function turn(): void {
    change.resolve()
    change = Promise.withResolvers()
  }

  async function until(holds: () => boolean): Promise<void> {
    const goesOn = (): boolean => failure === undefined && !holds()
    while (goesOn()) await change.promise
    if (failure !== undefined) throw failure.error
  }

  return {
    room: (wanted) =>
      until(() => messages === 0 || (messages < limits.messages && bytes + wanted <= limits.bytes)),
    add: (size, acknowledged) => {
      messages++
      bytes += size
      acknowledged
        .catch((error: unknown) => {
          failure ??= { error }
        })
        .finally(() => {
          messages--
          bytes -= size
          turn()
        })
        .catch(() => {}) // cannot be: the first handler took it
    },
    drained: () => until(() => messages === 0),
  }
}
