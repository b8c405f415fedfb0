import { html } from "hono/html"
import type { JsonSchema } from "../openapi/convert.ts"
import { inline, type Markup } from "./prose.ts"

const place = "#/components/schemas/"

/** A schema in full: its type, and below it every member that is not described elsewhere. */
export function schemaInFull(schema: JsonSchema | boolean): Markup {
  return html`<span class="type">${typeOf(schema)}</span>${membersOf(schema)}`
}

/** Its type in a few words; what has a name is a link to where it is described. */
function typeOf(schema: JsonSchema | boolean): Markup {
  if (typeof schema === "boolean") return html`any JSON`
  const { $ref: reference, items } = schema
  if (reference !== undefined) {
    const name = reference.slice(place.length)
    return html`<a href="#schema-${name}">${name}</a>`
  }
  const choices = schema.anyOf ?? schema.oneOf
  if (choices !== undefined) return joined(choices.map(typeOf), " or ")
  if (schema.allOf !== undefined) return joined(schema.allOf.map(typeOf), " with ")
  if (schema.const !== undefined) return html`<code>${JSON.stringify(schema.const)}</code>`
  if (schema.enum !== undefined) {
    return joined(
      schema.enum.map((value) => html`<code>${String(value)}</code>`),
      " | ",
    )
  }
  if (schema.type === "array") {
    return html`list of ${typeof items === "object" && !Array.isArray(items) ? typeOf(items) : "any JSON"}`
  }
  return html`${[schema.type ?? "any JSON", ...boundsOf(schema)].join(", ")}`
}

function boundsOf(schema: JsonSchema): string[] {
  const { format, minimum, maximum, maxLength, default: usual } = schema
  return [
    ...(format === undefined ? [] : [format]),
    ...(minimum === undefined ? [] : [`${minimum} or more`]),
    ...(maximum === undefined ? [] : [`${maximum} at most`]),
    ...(maxLength === undefined ? [] : [`${maxLength} characters at most`]),
    ...(usual === undefined ? [] : [`usually ${JSON.stringify(usual)}`]),
  ]
}

/** The members of an object, or of those that a list or a choice has, one below the other. */
function membersOf(schema: JsonSchema | boolean): Markup {
  if (typeof schema === "boolean" || schema.$ref !== undefined) return html``
  const { properties, required = [], items, additionalProperties } = schema
  if (properties !== undefined && Object.keys(properties).length > 0) {
    return html`<dl>
      ${Object.entries(properties).map(([name, member]) => {
        const words = typeof member === "object" ? member.description : undefined
        return html`<dt>
            ${name}${required.includes(name) ? html` <span class="must">required</span>` : ""}
          </dt>
          <dd>${inline(words)} ${schemaInFull(member)}</dd>`
      })}
    </dl>`
  }
  const parts: (JsonSchema | boolean)[] = [...(schema.anyOf ?? schema.oneOf ?? schema.allOf ?? [])]
  if (items !== undefined && !Array.isArray(items)) parts.push(items)
  if (additionalProperties !== undefined && additionalProperties !== false) parts.push(additionalProperties)
  return html`${parts.map(membersOf)}`
}

function joined(parts: readonly Markup[], between: string): Markup {
  return html`${parts.map((part, n) => (n === 0 ? part : html`${between}${part}`))}`
}
