import { readdirSync, readFileSync } from "node:fs"
import { stripTypeScriptTypes } from "node:module"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { expect, it } from "vitest"

const folder = fileURLToPath(new URL("../../src/client/", import.meta.url))
const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => ({ name, code: codeOf(readFileSync(folder + name, "utf8")) }))
const own = new Set(files.map(({ name }) => name))

/** What is left of a file when it runs: no types, no comments. */
function codeOf(source: string): string {
  return stripTypeScriptTypes(source)
    .replaceAll(/\/\*[\s\S]*?\*\//g, "")
    .replaceAll(/(^|\s)\/\/.*/g, "")
}

it.each(files)("$name imports nothing but the client's own files when it runs", ({ name, code }) => {
  const imports = [...code.matchAll(/\b(?:from|import)\s*\(?\s*"([^"]+)"/g)].map(([, path]) => path ?? "")
  const isOwn = (path: string) => path.startsWith(".") && own.has(join(dirname(name), path))
  expect(imports.filter((path) => !isOwn(path))).toEqual([])
})

it.each(files)("$name needs nothing that only Node has", ({ code }) => {
  expect(code).not.toMatch(/\b(?:Buffer|process|require|setImmediate|__dirname|global)\b|\bnode:|\.unref\(/)
})
