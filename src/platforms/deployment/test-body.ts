/** The body of a test in our own form: a deployment of nothing, to an environment of kind `test`. */
export function ownTestBody(at: Date): Buffer {
  const deployment = {
    id: `signalbox-test-${at.getTime()}`,
    provider: "signalbox",
    project: "signalbox test",
    environment: "signalbox-test",
    environmentKind: "test",
    status: "success",
    occurredAt: at.toISOString(),
  }
  return Buffer.from(JSON.stringify(deployment))
}
