import type { Command } from "../command.ts"
import { consumerGroupsCommand } from "./consumer-groups.ts"
import { explainCommand } from "./correlation/explain.ts"
import { correlationCommand } from "./correlation/index.ts"
import { deadLettersCommand } from "./dead-letters.ts"
import { extractCommand } from "./extract.ts"
import { keysCommand } from "./keys.ts"
import { migrateCommand } from "./migrate.ts"
import { replayCommand } from "./replay/index.ts"
import { reprocessCommand } from "./reprocess.ts"
import { sendCommand } from "./send.ts"
import { serveCommand } from "./serve.ts"
import { sourcesCommand } from "./sources/index.ts"
import { sqlCommand } from "./sql.ts"
import { statusCommand } from "./status.ts"
import { subscriptionsCommand } from "./subscriptions/index.ts"
import { tailCommand } from "./tail.ts"
import { timelineCommand } from "./timeline.ts"

/** Every subcommand, in the order in which help lists them. */
export const commands: readonly Command[] = [
  serveCommand,
  migrateCommand,
  keysCommand,
  sourcesCommand,
  subscriptionsCommand,
  consumerGroupsCommand,
  replayCommand,
  deadLettersCommand,
  tailCommand,
  sendCommand,
  statusCommand,
  timelineCommand,
  explainCommand,
  correlationCommand,
  extractCommand,
  reprocessCommand,
  sqlCommand,
]
