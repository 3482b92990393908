// A chat client that follows the contract and nothing else, written apart from the client library so that neither can hide
// the other's mistake: it sends until it has its answer, always under the same clientId; it asks `sync` after every connect
// and at every hole until there is no more; and it writes down all that it was told.
import WebSocket from 'ws'
import { printOf, type Send, type Told, type View } from './history.ts'
import type { Random } from './random.ts'

export type Person = { id: string; token: string }
export type Device = {
  name: string
  person: Person
  /** Places that its messages and marks have; all devices of a run share one. */
  sends: readonly Send[]
  views(): View[]
  /** The highest number below which nothing is missing. */
  reached(conversation: string): number
  isConnected(): boolean
  /** The port it is connected from. */
  port(): number | undefined
  /** Asks for everything again, many times, without waiting: for one that has stopped reading. */
  gorge(times: number): void
  /** Asks `sync` once more, as a client may at any time to prove to itself that it missed nothing. */
  prove(): void
  /** One more message at once, beside the others. */
  speak(): void
  /** No new messages from now on; resolves when none is under way. */
  quiet(): Promise<void>
  /** How often it connected, found a hole, had to send again; answers by error code. */
  numbers: DeviceNumbers
  close(): void
}
export type DeviceNumbers = {
  connects: number
  holes: number
  late: number
  tries: number
  errors: Map<string, number>
}
export type DeviceOptions = {
  name: string
  person: Person
  conversations: readonly string[]
  port: number
  random: Random
  /** The next place in the one order of events of the run. */
  place: () => number
  /** Off: connects again without asking what it missed. */
  resumes: boolean
  /** Mean time between an answer and the next message. */
  thinkMs: number
}

const ANSWER_WITHIN_MS = 3000
const SYNC_WITHIN_MS = 10_000
const PING_EVERY_MS = 2000
const PING_WITHIN_MS = 4000
const RECONNECT_MS = [50, 600] as const
const AGAIN_MS = [50, 400] as const
/** A hole may close by itself: frames of two senders may overtake each other. */
const HOLE_WAIT_MS = 100
/** How often it gives up a message whose answer did not come, and how often it asks again for one that was answered. */
const GIVES_UP = 0.15
const ASKS_AGAIN = 0.1
const COMES_ANEW = 0.7
const LONG_TEXT = 0.04
const LONG_TEXT_CHARACTERS = 7500

type Frame = { id?: number; ok?: true; ev?: string; data?: Wire; error?: { code: string }; [more: string]: unknown }
type Wire = { id: string; conversation: string; seq: number; clientId: string; sender: string; text: string }
type Synced = { conversations: Record<string, { messages: Wire[]; lastSeq: number; hasMore: boolean }> }

export const toldOf = ({ id, seq, sender, clientId, text }: Omit<Wire, 'conversation'>): Told => ({
  id,
  seq,
  print: printOf(sender, clientId, text),
})

export const startDevice = (options: DeviceOptions): Device => {
  const { name, person, conversations, port, random, place, resumes, thinkMs } = options
  const sends: Send[] = []
  const known = new Map(conversations.map((id) => [id, { told: new Map<number, Told[]>(), reached: 0, highest: 0 }]))
  const numbers: DeviceNumbers = { connects: 0, holes: 0, late: 0, tries: 0, errors: new Map() }
  let line: Line | null = null
  let isClosed = false
  let isQuiet = false

  const tell = (message: Wire, isLive: boolean) => {
    const view = known.get(message.conversation)
    if (!view) return
    const told = toldOf(message)
    const before = view.told.get(told.seq)
    if (!before) view.told.set(told.seq, [told])
    else if (!before.some(({ id, print }) => id === told.id && print === told.print)) before.push(told)
    if (isLive && !before && told.seq < view.highest) numbers.late += 1
    view.highest = Math.max(view.highest, told.seq)
    while (view.told.has(view.reached + 1)) view.reached += 1
    if (isLive && told.seq > view.reached && line) line.hole()
  }

  const connect = () => {
    if (isClosed) return
    numbers.connects += 1
    const own = connected()
    line = own
    own.raw.once('close', () => {
      if (line === own) line = null
      setTimeout(connect, random.whole(...RECONNECT_MS))
    })
  }

  type Line = ReturnType<typeof connected>
  /** One connection, from its opening to its end. */
  const connected = () => {
    const raw = new WebSocket(`ws://127.0.0.1:${port}/v1/realtime`, ['gigwire.v1'], {
      headers: { authorization: `Bearer ${person.token}` },
      handshakeTimeout: 5000,
    })
    const waiting = new Map<number, (answer: Frame | null) => void>()
    let lastId = 0
    let isSynced = false
    let isSyncing = false
    let isAsked = false

    /** Null: no answer in time, or the connection ended. */
    const ask = (op: string, fields: object, withinMs = ANSWER_WITHIN_MS): Promise<Frame | null> =>
      new Promise((resolve) => {
        if (raw.readyState !== WebSocket.OPEN) return resolve(null)
        const id = ++lastId
        const late = setTimeout(() => settle(null), withinMs)
        const settle = (answer: Frame | null) => {
          clearTimeout(late)
          waiting.delete(id)
          resolve(answer)
        }
        waiting.set(id, settle)
        raw.send(JSON.stringify({ id, op, ...fields }))
      })

    const missed = async (): Promise<boolean> => {
      const positions = Object.fromEntries([...known].map(([id, { reached }]) => [id, reached]))
      const answer = await ask('sync', { conversations: positions }, SYNC_WITHIN_MS)
      if (!answer?.ok) {
        count(answer)
        await wait(random.whole(...AGAIN_MS))
        return false
      }
      const answered = Object.values((answer as unknown as Synced).conversations)
      for (const { messages } of answered) for (const message of messages) tell(message, false)
      return answered.every(({ hasMore }) => !hasMore)
    }

    const sync = async () => {
      if (isSyncing) return void (isAsked = true)
      isSyncing = true
      do {
        isAsked = false
        while (raw.readyState === WebSocket.OPEN && !(await missed()));
      } while (isAsked && raw.readyState === WebSocket.OPEN)
      isSyncing = false
      isSynced = true
    }

    const beat = setInterval(() => {
      if (raw.readyState === WebSocket.OPEN)
        void ask('ping', {}, PING_WITHIN_MS).then((answer) => answer === null && raw.terminate())
    }, PING_EVERY_MS)
    raw.on('open', () => (resumes ? void sync() : (isSynced = true)))
    raw.on('message', (data) => {
      const frame = JSON.parse(String(data)) as Frame
      if (frame.ev === 'message') tell(frame.data!, true)
      // The gateway says that it may have lost something on the way.
      else if (frame.ev === 'missed' && resumes) void sync()
      else if (frame.id !== undefined) waiting.get(frame.id)?.(frame)
    })
    raw.on('error', () => undefined)
    raw.on('close', () => {
      clearInterval(beat)
      for (const settle of waiting.values()) settle(null)
    })
    return {
      raw,
      ask,
      prove: () => resumes && void sync(),
      isSynced: () => isSynced && raw.readyState === WebSocket.OPEN,
      hole: () => {
        if (!resumes) return
        setTimeout(() => {
          if (!isWhole()) void ((numbers.holes += 1), sync())
        }, HOLE_WAIT_MS)
      },
    }
  }

  const isWhole = () => [...known.values()].every(({ told, reached }) => told.size === reached)

  const count = (answer: Frame | null) => {
    const code = answer === null ? 'no answer' : (answer.error?.code ?? 'ok')
    numbers.errors.set(code, (numbers.errors.get(code) ?? 0) + 1)
  }

  const send = async (text: string) => {
    const conversation = random.pick(conversations)
    const clientId = `${name}-${sends.length + 1}`
    const one: Send = {
      conversation,
      sender: person.id,
      clientId,
      print: printOf(person.id, clientId, text),
      askedAt: place(),
      answeredAt: null,
      answers: [],
    }
    sends.push(one)
    while (!isClosed) {
      const now = line
      if (!now?.isSynced()) {
        await wait(AGAIN_MS[0])
        continue
      }
      numbers.tries += 1
      const answer = await now.ask('send', { conversation, clientId, text })
      if (answer?.ok) {
        one.answeredAt ??= place()
        const message = answer['message'] as Wire
        one.answers.push(toldOf(message))
        tell(message, false)
        if (!random.chance(ASKS_AGAIN)) return
        continue
      }
      count(answer)
      // Answered before, asked again: whatever came of that, it is known.
      if (one.answeredAt !== null) return
      if (answer === null && random.chance(GIVES_UP)) return
      // Answers about one conversation come in order: behind one that hangs, a new connection is quicker.
      if (answer === null && random.chance(COMES_ANEW)) now.raw.terminate()
      await wait(random.whole(...AGAIN_MS))
    }
  }

  const speak = () => send(textOf(random, `${name}, message ${sends.length + 1}`))

  const talk = async () => {
    await wait(random.next() * thinkMs)
    while (!isQuiet && !isClosed) {
      await speak()
      await wait(random.next() * 2 * thinkMs)
    }
  }

  connect()
  let talking: Promise<unknown> = talk()
  return {
    name,
    person,
    sends,
    numbers,
    views: () => [...known].map(([conversation, { told }]) => ({ device: name, conversation, told })),
    reached: (conversation) => known.get(conversation)?.reached ?? 0,
    isConnected: () => line?.isSynced() ?? false,
    port: () => (line?.raw as unknown as { _socket?: { localPort?: number } } | undefined)?._socket?.localPort,
    gorge: (times) => {
      const all = Object.fromEntries(conversations.map((id) => [id, 0]))
      for (let n = 0; n < times; n++) void line?.ask('sync', { conversations: all }, SYNC_WITHIN_MS)
    },
    prove: () => void line?.prove(),
    speak: () => {
      talking = Promise.all([talking, speak()])
    },
    quiet: async () => {
      isQuiet = true
      await talking
    },
    close: () => {
      isClosed = true
      line?.raw.terminate()
    },
  }
}

const textOf = (random: Random, start: string): string =>
  random.chance(LONG_TEXT) ? `${start} ${'and so on '.repeat(LONG_TEXT_CHARACTERS / 10)}`.trim() : start

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
