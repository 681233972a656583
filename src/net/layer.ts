/** A security layer that a SASL mechanism negotiated (RFC 4422 §3.7): frames around everything on the connection. */

export interface SecurityLayer {
  /** Security strength factor: bits of the key, 1 for integrity alone. */
  readonly strength: number;
  /** The frames for these bytes, in order, as one buffer. */
  wrap(bytes: Uint8Array): Buffer;
  /**
   * The plain bytes that became complete with this chunk; a frame that is not whole yet is kept.
   * @throws MailError 'badsyntax' for a frame that is too long or was changed on its way: the connection is over
   */
  unwrap(chunk: Uint8Array): Buffer;
}
