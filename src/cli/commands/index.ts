import type { Command } from "../command.ts"
import { explainCommand } from "./correlation/explain.ts"
import { correlationCommand } from "./correlation/index.ts"
import { extractCommand } from "./extract.ts"
import { keysCommand } from "./keys.ts"
import { migrateCommand } from "./migrate.ts"
import { reprocessCommand } from "./reprocess.ts"
import { sendCommand } from "./send.ts"
import { serveCommand } from "./serve.ts"
import { sourcesCommand } from "./sources/index.ts"
import { sqlCommand } from "./sql.ts"
import { statusCommand } from "./status.ts"
import { tailCommand } from "./tail.ts"

/** Every subcommand, in the order in which help lists them. */
export const commands: readonly Command[] = [
  serveCommand,
  migrateCommand,
  keysCommand,
  sourcesCommand,
  tailCommand,
  sendCommand,
  statusCommand,
  explainCommand,
  correlationCommand,
  extractCommand,
  reprocessCommand,
  sqlCommand,
]
