import { z } from "zod"

/** JSON Schema 2020-12, which is what OpenAPI 3.1 has. */
export type JsonSchema = z.core.JSONSchema.JSONSchema

/** Turns the schemas by which requests are parsed into JSON Schema. */
export interface SchemaConverter {
  /** What a schema takes; one with a name is a reference into `named`. */
  convert(schema: z.ZodType): JsonSchema
  /** Every schema met so far that has a name (`.meta({ id })`), by that. */
  named(): Readonly<Record<string, JsonSchema>>
}

const place = "#/components/schemas/"

/** Makes a converter, with what it has named so far. */
export function createConverter(): SchemaConverter {
  const named = new Map<string, JsonSchema>()

  function keep(name: string, schema: JsonSchema): void {
    const known = named.get(name)
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(schema)) {
      throw new Error(`two schemas are called ${name}`)
    }
    named.set(name, schema)
  }

  return {
    convert(schema) {
      // As a member, for a schema at the top is never a reference.
      const made = z.toJSONSchema(z.object({ it: schema }), {
        io: "input",
        unrepresentable: "any",
        override: ({ jsonSchema }) => plain(jsonSchema),
      })
      const moved: JsonSchema = JSON.parse(JSON.stringify(made, moveReference))
      for (const [name, one] of Object.entries(moved.$defs ?? {})) keep(nameOf(name), one)
      const converted = moved.properties?.["it"]
      return typeof converted === "object" ? converted : {}
    },
    named: () => Object.fromEntries([...named].toSorted(([one], [other]) => (one < other ? -1 : 1))),
  }
}

function moveReference(key: string, value: unknown): unknown {
  if (key !== "$ref" || typeof value !== "string") return value
  return `${place}${nameOf(value.slice("#/$defs/".length))}`
}

/** `z.json()` is the one schema that refers to itself without a name of its own. */
function nameOf(name: string): string {
  return name.startsWith("__schema") ? "Json" : name
}

/** Takes away what says nothing to a reader: the pattern of a known format, the bounds of every safe integer. */
function plain(schema: JsonSchema): void {
  if (schema.format !== undefined) delete schema.pattern
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum
  if (JSON.stringify(schema.propertyNames) === '{"type":"string"}') delete schema.propertyNames
}
