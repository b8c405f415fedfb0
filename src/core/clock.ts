/** Source of the current time, a parameter wherever time matters so that tests can set it. */
export type Clock = () => Date

/** The machine's own clock. */
export const systemClock: Clock = () => new Date()
