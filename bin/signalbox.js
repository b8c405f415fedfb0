#!/usr/bin/env node
// In a checkout the sources run as they are, also where an old build of them lies beside; an installed
// package has them compiled in dist, because Node strips no types below node_modules.
const isInstalled = import.meta.url.includes("/node_modules/")
const major = Number(process.versions.node.split(".")[0])
if (major < 24) {
  const remedy = isInstalled
    ? "`npm install node@24` in this project brings one, which npx then takes"
    : "run it by npm or npx, which take the one that `npm ci` brings"
  console.error(`signalbox needs Node 24 or later, this is ${process.version}: ${remedy}`)
  process.exit(1)
}
await import(isInstalled ? "../dist/cli/main.js" : "../src/cli/main.ts")
