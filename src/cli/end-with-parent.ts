/**
 * Calls `end` once the process that started us is gone. npm hands SIGTERM on but not SIGKILL: a hub
 * that outlived it would keep the port and the data directory from the next one.
 */
export function endWithParent(end: () => void, everyMs = 500): () => void {
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    end()
  }, everyMs)
  timer.unref()
  return () => clearInterval(timer)
}
