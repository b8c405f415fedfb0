import { setFlagsFromString } from "node:v8"

/**
 * Sets V8 up for a process that is a hub and nothing else. By default V8 learns from its first collections
 * which places in the code make objects that stay, and makes them in old space from then on. In a hub
 * none stays longer than its request or batch; what is learned in a busy moment is wrong later, and each
 * such object then keeps all it ever pointed to until the whole heap is marked.
 */
export function tuneProcess(): void {
  setFlagsFromString("--no-allocation-site-pretenuring")
}
