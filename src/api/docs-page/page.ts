import { html, raw } from "hono/html"
import type { ApiDocument, Content, Operation, Parameter } from "../openapi/document.ts"
import { inline, prose, type Markup } from "./prose.ts"
import { schemaInFull } from "./schema.ts"
import { style } from "./style.ts"

interface Route {
  method: string
  path: string
  operation: Operation
}

/** The document as one page of HTML without scripts or anything from elsewhere; all that it shows is escaped. */
export async function docsPage(document: ApiDocument): Promise<string> {
  const { info, tags, paths, webhooks, components } = document
  const sent = Object.values(webhooks).map((operations) => ["the URL of a subscription", operations] as const)
  const routes = [...Object.entries(paths), ...sent].flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]): Route => ({ method, path, operation })),
  )
  const groups = tags.map(({ name }) => ({
    name,
    routes: routes.filter(({ operation }) => operation.tags.includes(name)),
  }))
  const schemas = Object.entries(components.schemas)
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${info.title} API</title>
        ${raw(`<style>${style}</style>`)}
      </head>
      <body>
        <nav>
          ${groups.map(
            ({ name, routes: listed }) =>
              html`<h2>${name}</h2>
                <ul>
                  ${listed.map(
                    ({ method, path, operation }) =>
                      html`<li>
                        <a href="#${operation.operationId}"><span class="method">${method}</span> ${path}</a>
                      </li>`,
                  )}
                </ul>`,
          )}
          <h2>Schemas</h2>
          <ul>
            ${schemas.map(([name]) => html`<li><a href="#schema-${name}">${name}</a></li>`)}
          </ul>
        </nav>
        <main>
          <h1>${info.title} ${info.version}</h1>
          <p>
            ${info.summary}. The same for programs, as OpenAPI 3.1: <a href="openapi.json">openapi.json</a>.
          </p>
          ${prose(info.description)}
          ${groups.map(
            ({ name, routes: listed }) =>
              html`<h2>${name}</h2>
                ${listed.map((route) => routeIn(route, document))}`,
          )}
          <h2>Schemas</h2>
          ${schemas.map(
            ([name, schema]) =>
              html`<section id="schema-${name}">
                <h3>${name}</h3>
                ${prose(schema.description)}${schemaInFull(schema)}
              </section>`,
          )}
        </main>
      </body>
    </html>`
  return String(await page)
}

function routeIn({ method, path, operation }: Route, { components }: ApiDocument): Markup {
  const { operationId, summary, description, parameters = [], requestBody, responses } = operation
  const answers = Object.entries(responses).map(([status, answer]): [string, Content] => {
    const name = "$ref" in answer ? answer.$ref.slice("#/components/responses/".length) : ""
    return [status, "$ref" in answer ? (components.responses[name] ?? { description: "" }) : answer]
  })
  return html`<section id="${operationId}">
    <h3>${summary}</h3>
    <div class="route"><span class="method">${method}</span> <code>${path}</code></div>
    ${prose(description)}
    ${
      parameters.length === 0
        ? ""
        : html`<h4>Parameters</h4>
            <dl>${parameters.map(parameterIn)}</dl>`
    }
    ${
      requestBody === undefined
        ? ""
        : html`<h4>Body${requestBody.required ? "" : " (may be left out)"}</h4>
            ${contentIn(requestBody.content)}`
    }
    <h4>Answers</h4>
    <dl>
      ${answers.map(
        ([status, answer]) =>
          html`<dt>${status}</dt>
            <dd>${inline(answer.description)} ${contentIn(answer.content)}</dd>`,
      )}
    </dl>
  </section>`
}

function parameterIn({ name, in: where, description, required, schema }: Parameter): Markup {
  const must = required ? html` <span class="must">required</span>` : ""
  return html`<dt>${name}${must}</dt>
    <dd>${inline(description)} <span class="type">${where}:</span> ${schemaInFull(schema)}</dd>`
}

function contentIn(content: Content["content"] = {}): Markup {
  return html`${Object.entries(content).map(([mediaType, { schema }]) => {
    const kind = mediaType === "application/json" ? "" : html`<code>${mediaType}</code> `
    return html`${kind}${schema === undefined ? "" : schemaInFull(schema)}`
  })}`
}
