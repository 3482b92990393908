// Why the listener itself closes a WebSocket.
type Closing = readonly [code: number, reason: string]

export const closings = {
  binary: [4400, 'text frames only'],
  tooLarge: [4400, 'message too large'],
  // told to the owner; the client sees 1006, for its full socket can't take a close frame
  slow: [4413, 'too slow'],
  idle: [1006, 'idle'],
} as const satisfies Record<string, Closing>

/** A message up to here is still read, to be answered with a clear close; a larger one ends the connection. */
export const hardMessageBytesMax = (messageBytesMax: number) => messageBytesMax * 4
