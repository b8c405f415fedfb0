import { z } from "zod"

/** The schema of a variable of the environment: one that is set to nothing counts as not set. */
export const optional = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (value === "" ? undefined : value), schema.optional())
