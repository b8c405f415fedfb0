import type { TestProject } from "vitest/node"
import { installQueue } from "../../src/queue/install.ts"
import { createPool } from "../../src/store/database.ts"
import { migrate } from "../../src/store/migrate.ts"
import { testServer, withDatabase } from "./server.ts"
import { dropDatabase } from "./drop-database.ts"

declare module "vitest" {
  export interface ProvidedContext {
    serverUrl: string
    template: string
    run: string
  }
}

/** Makes one migrated template database for the run; every test file clones it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await testServer()
  const template = server.databaseName()
  const admin = createPool(server.url, { max: 1 })
  const teardown = async (): Promise<void> => {
    await dropDatabase(admin, template)
    await admin.end()
    await server.stop()
  }
  try {
    await admin.query(`create database ${template}`)
    await migrate(withDatabase(server.url, template))
    await installQueue(withDatabase(server.url, template))
  } catch (error) {
    await teardown()
    throw error
  }
  project.provide("serverUrl", server.url)
  project.provide("template", template)
  project.provide("run", server.run)
  return teardown
}
