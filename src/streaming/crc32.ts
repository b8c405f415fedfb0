// CRC-32 (polynomial of IEEE 802.3, as in gzip) as a polynomial over GF(2), lowest bit first.
const polynomial = 0xed_b8_83_20
const one = 0x80_00_00_00 | 0

/** The product of two polynomials, modulo that of the CRC. */
function product(a: number, b: number): number {
  let sum = 0
  let factor = b
  for (let bit = one; bit !== 0; bit >>>= 1) {
    if ((a & bit) !== 0) sum ^= factor
    factor = (factor & 1) === 0 ? factor >>> 1 : (factor >>> 1) ^ polynomial
  }
  return sum | 0
}

/** x^(2^n), by n. */
const powers = [0x40_00_00_00]
for (let n = 1; n < 32; n++) powers.push(product(powers[n - 1] ?? 0, powers[n - 1] ?? 0))

/** What moves the CRC of some bytes past `length` more: x^(8 length). */
export function shiftPast(length: number): number {
  let shift = one
  let left = length
  for (let n = 3; left > 0; n++) {
    if (left % 2 === 1) shift = product(powers[n % 32] ?? 0, shift)
    left = Math.floor(left / 2)
  }
  return shift
}

/** The CRC of bytes that follow others, of the CRCs of both and the shift past the latter. */
export function joinedCrc(before: number, shift: number, after: number): number {
  return (product(shift, before) ^ after) >>> 0
}
