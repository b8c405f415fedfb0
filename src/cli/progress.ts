/** Shows how far long work has come, on a terminal and nowhere else. */
export interface Progress {
  show(done: number, of: number): void
  /** Clears the line. */
  end(): void
}

const everyMs = 200

/** Progress in one line of standard error: things done, of how many, how fast, and how long it may take yet. */
export function createProgress(
  things: string,
  stream: Pick<NodeJS.WriteStream, "isTTY" | "write"> = process.stderr,
): Progress {
  const began = performance.now()
  let shown = -Infinity
  return {
    show(done, of) {
      const now = performance.now()
      if (!stream.isTTY || now - shown < everyMs) return
      shown = now
      const rate = done / Math.max(0.001, (now - began) / 1_000)
      const left = rate === 0 ? "" : `, ${duration((of - done) / rate)} left`
      stream.write(`\r\u001B[K${count(done)} of ${count(of)} ${things}, ${count(Math.round(rate))}/s${left}`)
    },
    end() {
      if (stream.isTTY && shown !== -Infinity) stream.write("\r\u001B[K")
    },
  }
}

function count(value: number): string {
  return value.toLocaleString("en")
}

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`
  return seconds < 5_400 ? `${Math.ceil(seconds / 60)} min` : `${Math.ceil(seconds / 3_600)} h`
}
