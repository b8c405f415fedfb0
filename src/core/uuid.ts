import { randomFillSync } from "node:crypto"

const pool = Buffer.allocUnsafe(4096)
let offset = pool.length
let lastMs = 0
let counter = 0

/**
 * A UUIDv7 (RFC 9562, section 5.7): 48 bits of Unix milliseconds, then a 12-bit counter so that
 * ids made by one process within one millisecond sort in the order they were made, then randomness.
 */
export function uuidv7(now: number = Date.now()): string {
  if (now > lastMs) {
    lastMs = now
    counter = randomBits() & 0x7ff // leave the upper half of the counter as head room
  } else if (++counter > 0xfff) {
    lastMs++ // method 1 of section 6.2: borrow from the timestamp when the counter is spent
    counter = 0
  }
  if (offset + 8 > pool.length) refill()
  const tail = pool.subarray(offset, offset + 8)
  offset += 8
  tail[0] = (tail[0]! & 0x3f) | 0x80
  const time = lastMs.toString(16).padStart(12, "0")
  const rest = tail.toString("hex")
  const sequence = counter.toString(16).padStart(3, "0")
  return `${time.slice(0, 8)}-${time.slice(8)}-7${sequence}-${rest.slice(0, 4)}-${rest.slice(4)}`
}

function randomBits(): number {
  if (offset + 2 > pool.length) refill()
  const bits = pool.readUInt16BE(offset)
  offset += 2
  return bits
}

function refill(): void {
  randomFillSync(pool)
  offset = 0
}

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Whether a string is a UUID in canonical lower-case form. */
export function isUuid(text: string): boolean {
  return uuidPattern.test(text)
}
