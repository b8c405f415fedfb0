import type { RuleLimits } from "../correlation/define-rule.ts"

/**
 * What a rule of the user's own may take where a command runs it: with an endless one the command could not even
 * be interrupted, since Node handles signals between two turns of its loop.
 */
export const commandLimits: RuleLimits = { maxMs: 1_000 }
