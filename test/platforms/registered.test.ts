import { existsSync, readdirSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { expect, it } from "vitest"
import { platformByName, platforms } from "../../src/platforms/index.ts"
import { github } from "../../src/platforms/github/index.ts"
import { loadFixtures } from "../support/fixtures.ts"
import { registrationProblems } from "./support/registration.ts"

const root = fileURLToPath(new URL("../../", import.meta.url))

it("every platform's folder is registered, and has fixtures and a signer", () => {
  const folders = readdirSync(`${root}src/platforms`, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
  const fixturesOf = (name: string) => ({
    count: loadFixtures(name).length,
    signer: existsSync(`${root}fixtures/${name}/sign.ts`),
  })
  expect(registrationProblems({ folders, platforms, fixturesOf })).toEqual([])
})

it("every kind of sender has fixtures and a signer, and every folder of fixtures is of one", () => {
  for (const { name, senders = [] } of platforms) {
    const folders = readdirSync(`${root}fixtures/${name}`, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
    expect(folders.toSorted()).toEqual(senders.toSorted())
    for (const sender of senders) {
      expect(loadFixtures(name, sender).length, sender).toBeGreaterThan(0)
      expect(existsSync(`${root}fixtures/${name}/${sender}/sign.ts`), sender).toBe(true)
    }
  }
})

it("a platform that was forgotten anywhere is told by name", () => {
  const problems = registrationProblems({
    folders: ["github", "pigeon_post"],
    platforms: [github, github, { ...github, name: "linear" }],
    fixturesOf: (name) => ({ count: name === "github" ? 3 : 0, signer: name === "github" }),
  })
  expect(problems).toEqual([
    "src/platforms/pigeon_post is not in src/platforms/index.ts",
    "linear has no folder of its name in src/platforms",
    "github is in src/platforms/index.ts more than once",
    "fixtures/linear holds no fixture",
    "fixtures/linear/sign.ts is missing",
  ])
})

it("a platform is found by its own name and by no other", () => {
  for (const platform of platforms) expect(platformByName(platform.name)).toBe(platform)
  for (const name of ["", "GitHub", "__proto__", "constructor", "toString"]) {
    expect(platformByName(name)).toBeUndefined()
  }
})
