/** Compiles the one example that uses decorator syntax when Node loads it; see decorators.ts. */
import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { registerHooks } from "node:module"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const compiler = fileURLToPath(new URL("bin/tsc", import.meta.resolve("typescript/package.json")))
// This file alone, as it stands; `npm run check:types` is for whether it is right.
const alone = ["--ignoreConfig", "--noCheck", "--noResolve", "--module", "esnext", "--target", "es2022"]

registerHooks({
  load(url, context, nextLoad) {
    if (!url.endsWith("/examples/decorators.ts")) return nextLoad(url, context)
    return { format: "module", source: compile(fileURLToPath(url)), shortCircuit: true }
  },
})

function compile(path: string): string {
  const folder = mkdtempSync(join(tmpdir(), "signalbox-example-"))
  try {
    execFileSync(process.execPath, [compiler, ...alone, "--outDir", folder, path])
    return readFileSync(join(folder, "decorators.js"), "utf8")
  } finally {
    rmSync(folder, { recursive: true })
  }
}
