/** How a part of a process does at present. */
export interface ComponentState {
  /** One word: `working`, `resting`, `failing`, `away`, … */
  state: string
  /** What is wrong, in words that name no tenant and hold no secret: whoever reaches the port may read them. */
  problem?: string
}

/** The parts of a process by name, each asked anew. */
export type Components = ReadonlyMap<string, () => ComponentState>

/** Where nothing is wrong. */
export const working: ComponentState = { state: "working" }

/** Remembers whether the last go of something repeated went well. */
export interface Standing {
  well(): void
  ill(): void
  /** `working`, or `failing` with what it was made with. */
  state(): ComponentState
}

/**
 * Makes one that is well; `problem` says what it means where it is not. What went ill longer than `forgetMs` ago
 * and was not told of since counts for nothing: another process may have done it.
 */
export function createStanding(problem: string, { forgetMs = 120_000 } = {}): Standing {
  let illAt = -Infinity
  return {
    well: () => void (illAt = -Infinity),
    ill: () => void (illAt = performance.now()),
    state: () => (performance.now() - illAt < forgetMs ? { state: "failing", problem } : working),
  }
}
