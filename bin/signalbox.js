#!/usr/bin/env node
// In a checkout the sources run as they are; an installed package has them compiled in dist,
// because Node strips no types below node_modules.
import { existsSync } from "node:fs"

const compiled = new URL("../dist/cli/main.js", import.meta.url)
const major = Number(process.versions.node.split(".")[0])
if (major < 24) {
  console.error(`signalbox needs Node 24 or later, this is ${process.version}: run it by npm or npx`)
  process.exit(1)
}
await import(existsSync(compiled) ? compiled : new URL("../src/cli/main.ts", import.meta.url))
