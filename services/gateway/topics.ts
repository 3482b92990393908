// Who joined which topic here, and the latest frames of each. A frame goes to everybody at once by the listener's own
// publish; the ring answers who comes back after a moment, so that a room that reconnects asks its actor once, not once
// each. A topic nobody is in lingers for that moment, too.
import type { Attachment } from '../../adapters/fanout/index.ts'
import type { Socket } from '../../adapters/listener/index.ts'
import { topicFrame, type Tail } from '../topic.ts'
import type { Connection } from './connection.ts'
import { cut, emptyRing, fill, framesAfter, keep, type Ring } from './ring.ts'

export type Resumed = { seq: number; missed: string[]; recovered: boolean }
export type Topics = {
  /** Makes sure that what can be known of the topic is known here, and says who knew. Rejects when its actor can't tell. */
  ready(topic: string): Promise<'ring' | 'actor'>
  /**
   * Joins, and answers where the topic stands and all that was missed. Between this and the next frame nothing is left
   * out: whoever calls it sends the answer before anything else happens.
   */
  join(topic: string, socket: Socket<Connection>, after: number | undefined): Resumed
  leave(topic: string, one: Connection): void
  /** Everything this connection had joined. */
  remove(one: Connection): void
  /** Keeps a frame; false when everybody here has it. Called for every frame of every topic: it must be quick. */
  take(topic: string, frame: string, seq: number): boolean
  /** Frames may not have arrived: what is kept is no longer all there is. */
  missed(): void
  size(): { topics: number; letters: number }
  stop(): void
}
export type TopicParts = {
  attachment: Pick<Attachment, 'join' | 'leave'>
  /** What the topic's actor tells: its name for the event, and the tail. Rejects where there is no such topic. */
  ask: (topic: string) => Promise<Tail & { ev: string }>
}

type Room = { joined: number; ring: Ring; filling: Promise<void> | null; emptyAt: number }

/** A topic that everybody left is kept for this long, and at most so many of them. */
export const LINGER_MS = 30_000
export const LINGERING_MAX = 5000
/** Letters kept over all topics; past it a topic keeps only its number. */
export const RINGS_SIZE_MAX = 64 * 1024 * 1024
const SWEEP_MS = 5000

export const topics = ({ attachment, ask }: TopicParts): Topics => {
  const rooms = new Map<string, Room>()
  const lingering = new Map<string, Room>()
  let letters = 0

  const roomOf = (topic: string): Room => {
    const known = rooms.get(topic)
    if (known) return known
    const room: Room = { joined: 0, ring: emptyRing(), filling: null, emptyAt: performance.now() }
    rooms.set(topic, room)
    // Interest before the question: what is said while the actor answers is heard.
    attachment.join(topic)
    linger(topic, room)
    return room
  }

  const linger = (topic: string, room: Room) => {
    room.emptyAt = performance.now()
    lingering.delete(topic)
    lingering.set(topic, room)
    if (lingering.size > LINGERING_MAX) drop(...(lingering.entries().next().value as [string, Room]))
  }

  const drop = (topic: string, room: Room) => {
    lingering.delete(topic)
    rooms.delete(topic)
    letters -= room.ring.size
    attachment.leave(topic)
  }

  /** Changes a ring and keeps count of what all of them hold. */
  const changed = <R>(ring: Ring, change: () => R): R => {
    const before = ring.size
    const result = change()
    letters += ring.size - before
    if (letters > RINGS_SIZE_MAX && ring.size > before) {
      letters -= ring.size
      cut(ring)
    }
    return result
  }

  const filled = async (topic: string, room: Room): Promise<void> => {
    const { ev, seq, events } = await ask(topic)
    const told = events.map((event) => topicFrame(ev, topic, event))
    changed(room.ring, () => fill(room.ring, seq, told))
  }

  const leave = (topic: string, one: Connection) => {
    const room = rooms.get(topic)
    if (!one.topics?.delete(topic) || !room) return
    room.joined -= 1
    if (room.joined === 0) linger(topic, room)
  }

  const sweep = setInterval(() => {
    const before = performance.now() - LINGER_MS
    for (const [topic, room] of lingering) {
      if (room.emptyAt > before) return
      drop(topic, room)
    }
  }, SWEEP_MS)
  sweep.unref()

  return {
    ready: async (topic) => {
      const room = roomOf(topic)
      if (room.ring.isWhole) return 'ring'
      try {
        await (room.filling ??= filled(topic, room))
      } finally {
        room.filling = null
      }
      return 'actor'
    },
    join: (topic, socket, after) => {
      const room = roomOf(topic)
      const one = socket.state
      const own = (one.topics ??= new Set())
      if (!own.has(topic)) {
        own.add(topic)
        room.joined += 1
        lingering.delete(topic)
        socket.subscribe(topic)
      }
      const { ring } = room
      const seq = Math.max(0, ring.last)
      const missed = after === undefined ? [] : framesAfter(ring, after)
      return { seq, missed: missed ?? [], recovered: missed !== null }
    },
    leave,
    remove: (one) => {
      for (const topic of one.topics ?? []) leave(topic, one)
    },
    take: (topic, frame, seq) => {
      const room = rooms.get(topic)
      if (!room) return false
      return seq === 0 || changed(room.ring, () => keep(room.ring, seq, frame))
    },
    missed: () => {
      for (const { ring } of rooms.values()) ring.isWhole = false
    },
    size: () => ({ topics: rooms.size, letters }),
    stop: () => clearInterval(sweep),
  }
}
