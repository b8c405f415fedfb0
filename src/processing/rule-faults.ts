/** A rule that threw, with the first event at which it did. */
export interface RuleFaults {
  rule: string
  events: number
  eventId: string
  message: string
}

/** A rule that threw at an event. */
export interface RuleFault {
  eventId: string
  rule: string
  error: unknown
}

/** Counts the events at which each rule threw. */
export function createFaultCount() {
  const faults = new Map<string, RuleFaults>()
  return {
    note: ({ eventId, rule, error }: RuleFault): void => {
      const before = faults.get(rule)
      if (before !== undefined) before.events++
      else
        faults.set(rule, {
          rule,
          events: 1,
          eventId,
          message: error instanceof Error ? error.message : String(error),
        })
    },
    list: (): RuleFaults[] => [...faults.values()],
  }
}
