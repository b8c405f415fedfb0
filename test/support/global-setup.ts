import { randomBytes } from "node:crypto"
import type { TestProject } from "vitest/node"
import { installQueue } from "../../src/queue/install.ts"
import { createPool } from "../../src/store/database.ts"
import { migrate } from "../../src/store/migrate.ts"

declare module "vitest" {
  export interface ProvidedContext {
    serverUrl: string
    template: string
  }
}

/** Makes one migrated template database for the run; every test file clones it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const serverUrl = process.env["DATABASE_URL"]
  if (serverUrl === undefined) throw new Error("DATABASE_URL is not set") // replaced by the embedded server
  const template = `signalbox_template_${randomBytes(6).toString("hex")}`
  const admin = createPool(serverUrl, { max: 1 })
  await admin.query(`create database ${template}`)
  await migrate(withDatabase(serverUrl, template))
  await installQueue(withDatabase(serverUrl, template))
  project.provide("serverUrl", serverUrl)
  project.provide("template", template)
  return async () => {
    await admin.query(`drop database if exists ${template} with (force)`)
    await admin.end()
  }
}

function withDatabase(url: string, name: string): string {
  const target = new URL(url)
  target.pathname = `/${name}`
  return target.href
}
