// Carries encoded frames from the actors to the gateways that hold the people concerned, and small notices to every node.
// At most once by design: the store is the record, a receiver closes gaps by `seq`. Never awaits a socket, never blocks a turn.

/** What a gateway does with what arrives. Called synchronously; must not throw. */
export interface Receiver {
  /** A frame (one JSON text) for every connection of these users that this gateway holds. */
  users(userIds: readonly string[], frame: string): void
  /** A frame for every connection that joined the topic here. */
  topic(topic: string, frame: string): void
}

/** A gateway's registration of interest. Frames for users and topics it does not hold need not reach it. */
export interface Attachment {
  hold(userId: string): void
  release(userId: string): void
  join(topic: string): void
  leave(topic: string): void
  detach(): Promise<void>
}

export interface Fanout {
  attach(receiver: Receiver): Attachment
  /** Encoded once by the caller; the same text goes out everywhere. */
  toUsers(userIds: readonly string[], frame: string): void
  toTopic(topic: string, frame: string): void
  /** A notice to every node (this one included, in process synchronously): cache invalidation, clock moves. Data is plain JSON. */
  toNodes(subject: string, data: unknown): void
  /** Returns the function that stops listening. */
  onNodes(subject: string, heard: (data: unknown) => void): () => void
  state(): 'up' | 'down'
  close(): Promise<void>
}

/** Frames above this are refused with a RangeError: nothing that large is an event. */
export const FRAME_BYTES_MAX = 256 * 1024
/** Users named in one call; larger rooms use topics. */
export const USERS_PER_FRAME_MAX = 1000
