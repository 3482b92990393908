// One socket and who is behind it.
import type { Socket } from '../../adapters/listener/index.ts'
import type { Budget } from '../../mixins/node.ts'
import type { Verified } from '../../mixins/token.ts'

export type Connection = {
  /** Null before it is open. */
  socket: Socket<Connection> | null
  /** The token of the upgrade, until it was looked at. */
  token: string | null
  verified: Verified | null
  /** Under way: the token of the upgrade, or a new one. */
  authenticating: Promise<unknown> | null
  requestId: string
  dueSecond: number
  /** What presence keeps of it, while it looks at somebody. */
  watch: object | null
  underWay: number
  /** The answer that the next one to the same conversation waits for. Made when first needed, as topics are. */
  lanes: Map<string, Promise<void>> | null
  topics: Set<string> | null
  frames: number
  framesAt: number
}

/** Operations of one socket under way at once; one more is answered with overloaded. */
export const OPS_UNDER_WAY_MAX = 256
export const TOPICS_MAX = 100
/** How many times a user's message budget of frames of any kind counts as flooding. */
export const FLOOD_FACTOR = 10

export const connection = (requestId: string, token: string | null): Connection => ({
  socket: null,
  token,
  verified: null,
  authenticating: null,
  requestId,
  dueSecond: 0,
  watch: null,
  underWay: 0,
  lanes: null,
  topics: null,
  frames: 0,
  framesAt: performance.now(),
})

/** Counts a frame in a leaking bucket; true when it ran over. */
export const isFlooding = (one: Connection, { rate, burst }: Budget): boolean => {
  const now = performance.now()
  one.frames = Math.max(0, one.frames - ((now - one.framesAt) * rate * FLOOD_FACTOR) / 1000) + 1
  one.framesAt = now
  return one.frames > burst * FLOOD_FACTOR
}

/** An answer as it is sent: made at that moment, with whatever has to happen together with it. */
export type Answer = () => string

/** Sends when it is there, and after what was asked before about the same conversation. Never rejects. */
export const answerInOrder = (one: Connection, conversation: unknown, answer: Promise<Answer>): void => {
  const send = (make: Answer) => {
    const { socket } = one
    if (socket && !socket.closed) socket.send(make())
  }
  if (typeof conversation !== 'string') return void answer.then(send)
  const lanes = (one.lanes ??= new Map())
  const before = lanes.get(conversation)
  const sent = before ? before.then(() => answer).then(send) : answer.then(send)
  lanes.set(conversation, sent)
  void sent.then(() => {
    if (lanes.get(conversation) === sent) lanes.delete(conversation)
  })
}
