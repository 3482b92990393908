// Carries encoded frames from the actors to the gateways that hold the people concerned, and small notices to every node.
// At most once by design: the store is the record, a receiver closes gaps by `seq`. Never awaits a socket, never blocks a turn.

/** What a gateway does with what arrives. Called synchronously; must not throw. */
export interface Receiver {
  /** A frame (one JSON text) for every connection of these users that this gateway holds. */
  users(userIds: readonly string[], frame: string): void
  /** A frame for every connection that joined the topic here, with the number its sender gave it; 0 where it gave none. */
  topic(topic: string, frame: string, seq: number): void
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
  /** With a number, a receiver that keeps frames can tell what it has without reading them. */
  toTopic(topic: string, frame: string, seq?: number): void
  /** A notice to every node (this one included, in process synchronously): cache invalidation, clock moves. Data is plain JSON. */
  toNodes(subject: string, data: unknown): void
  /** Returns the function that stops listening. */
  onNodes(subject: string, heard: (data: unknown) => void): () => void
  /**
   * Heard when this node or another could not reach the rest for a while and can again: frames and notices may not have
   * arrived, so clients should sync and copies kept by notices be forgotten. May be heard several times for one outage.
   */
  onMissed(heard: () => void): () => void
  /**
   * Which of these users some gateway holds now, in the order asked, as far as this node knows: a moment late, and in the
   * first seconds after a start or an outage perhaps not all of them. Good for showing who is there, for nothing else.
   */
  held(userIds: readonly string[]): string[]
  /**
   * Hears of users who may have come or gone, over all gateways: ask `held`. Called often and with many when many come at
   * once, so it must be quick. Returns the function that stops listening.
   */
  onHeld(heard: (userIds: Iterable<string>) => void): () => void
  state(): 'up' | 'down'
  close(): Promise<void>
}

/** Frames above this are refused with a RangeError: nothing that large is an event. */
export const FRAME_BYTES_MAX = 256 * 1024
/** Users named in one call; larger rooms use topics. */
export const USERS_PER_FRAME_MAX = 1000

/** A topic or notice subject: visible ASCII, no spaces. */
const NAME = /^[\x21-\x7e]{1,200}$/

/** Refuses with a RangeError what no product may carry. Both products ask these, so that both refuse the same. */
export const checkFrame = (frame: string): void => {
  // a string of n letters has at most 3n bytes, so that counting is only needed for the large ones
  if (frame.length * 3 <= FRAME_BYTES_MAX) return
  if (Buffer.byteLength(frame) > FRAME_BYTES_MAX) throw new RangeError(`a frame has at most ${FRAME_BYTES_MAX} bytes`)
}

export const checkUsers = (userIds: readonly string[]): void => {
  if (userIds.length > USERS_PER_FRAME_MAX) throw new RangeError(`a frame names at most ${USERS_PER_FRAME_MAX} users`)
}

export const checkName = (name: string): void => {
  if (!NAME.test(name)) throw new RangeError('a topic or subject has 1 to 200 visible ASCII letters')
}

/** A notice as it travels. Even in process it is a copy: no two nodes share an object. */
export const encodeNotice = (data: unknown): string => {
  const text = JSON.stringify(data ?? null)
  checkFrame(text)
  return text
}
