/** A rule of the correlation as it is listed; what only a built-in one tells is null for one of the user's own. */
export interface ShownRule {
  name: string
  version: number
  builtIn: boolean
  relation: string | null
  strength: "strong" | "weak" | null
  weakWhere: string | null
  reads: string | null
}
