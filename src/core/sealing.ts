/** What is stored of a secret: its value, sealed under a key of its own, and that key, wrapped. */
export interface SealedValue {
  wrappedKey: Buffer
  sealed: Buffer
  /** Fingerprint of the encryption key that wraps. */
  keyId: string
}

/** Seals secrets under SIGNALBOX_ENCRYPTION_KEY, each for the row that it lies in. */
export interface Sealing {
  /** Throws `configuration` where there is no key. */
  seal(value: string, place: { id: string; ownerId: string }): Promise<SealedValue>
  /** Undefined for what does not open: its key is not among ours, or it lay in another row. */
  open(sealed: SealedValue, place: { id: string; ownerId: string }): Promise<string | undefined>
}
