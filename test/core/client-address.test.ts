import { expect, test } from "vitest"
import { clientAddress } from "../../src/core/client-address.ts"

const isProxy = (address: string) => address.startsWith("10.") || address === "fd00::1"

test.each<[socket: string | undefined, header: string | undefined, address: string]>([
  ["203.0.113.7", undefined, "203.0.113.7"],
  ["::ffff:203.0.113.7", undefined, "203.0.113.7"],
  ["fe80::1%eth0", undefined, "fe80::1"],
  [undefined, "203.0.113.7", ""],
  // nobody's word but a proxy's is taken
  ["203.0.113.7", "198.51.100.1", "203.0.113.7"],
  ["10.0.0.1", "198.51.100.1", "198.51.100.1"],
  ["::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"],
  ["fd00::1", "2001:db8::5", "2001:db8::5"],
  // what the client wrote itself stands before what the first proxy adds
  ["10.0.0.1", "192.0.2.1, 198.51.100.1", "198.51.100.1"],
  ["10.0.0.1", "192.0.2.1, 198.51.100.1, 10.0.0.2", "198.51.100.1"],
  ["10.0.0.1", "10.0.0.3,10.0.0.2", "10.0.0.3"],
  // as some proxies write them
  ["10.0.0.1", "198.51.100.1:443", "198.51.100.1"],
  ["10.0.0.1", "[2001:db8::5]:443", "2001:db8::5"],
  ["10.0.0.1", "[2001:db8::5]", "2001:db8::5"],
  // what is no address is not taken for one
  ["10.0.0.1", undefined, "10.0.0.1"],
  ["10.0.0.1", "", "10.0.0.1"],
  ["10.0.0.1", "unknown", "10.0.0.1"],
  ["10.0.0.1", "198.51.100.1, _hidden", "10.0.0.1"],
])("a socket of %s that says %s is %s", (socket, header, address) => {
  expect(clientAddress(socket, header, isProxy)).toBe(address)
})
