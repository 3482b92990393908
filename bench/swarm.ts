// Many light WebSocket clients in one process, on raw sockets: what a load costs must not hide what a server costs.
// RFC 6455 as far as a benign server goes: unfragmented frames in, masked frames out (with a key of zeros, which is what
// masking with that key leaves: the bytes themselves), pings answered. Received bytes are lent for the time of the call.
import { connect, type Socket } from 'node:net'

export type ClientOptions = {
  port: number
  path: string
  headers?: Readonly<Record<string, string>>
  /** A source address of its own for every 28,000 connections or so to one port. */
  localAddress?: string
  /** The switch of protocols is done. */
  opened(client: SwarmClient): void
  /** A text message: bytes `from` to `to` of the buffer. */
  text(client: SwarmClient, bytes: Buffer, from: number, to: number): void
  /** Once, however it ended; `code` is that of a close frame, 1006 without one. */
  closed(client: SwarmClient, code: number, reason: string): void
}
export type SwarmClient = {
  send(text: string): void
  /** Ends it at once, as a cut line does. */
  destroy(): void
}

const READ_BYTES = 256 * 1024
/** Every socket of this process reads into it: what is left over at the end of a call is copied away. */
const shared = Buffer.allocUnsafe(READ_BYTES)
const HEAD_END = Buffer.from('\r\n\r\n')
const TEXT = 1
const CLOSE = 8
const PING = 9
const PONG = 10
const NO_STATUS = 1006

export const swarmClient = (options: ClientOptions): SwarmClient => {
  const { port, path, headers = {}, localAddress, opened, text, closed } = options
  let rest: Buffer | null = null
  let upgraded = false
  let isOver = false

  const over = (code: number, reason: string) => {
    if (isOver) return
    isOver = true
    socket.destroy()
    closed(client, code, reason)
  }

  const read = (bytes: Buffer) => {
    const data = rest ? Buffer.concat([rest, bytes]) : bytes
    rest = null
    let at = upgraded ? 0 : switched(data)
    while (at >= 0 && !isOver) {
      const next = frame(data, at)
      if (next < 0) break
      at = next
    }
    if (at < data.length && !isOver) rest = Buffer.from(at < 0 ? data : data.subarray(at))
  }

  /** Where the first frame begins; -1 while the head is not whole. */
  const switched = (data: Buffer): number => {
    const end = data.indexOf(HEAD_END)
    if (end < 0) return -1
    if (!data.toString('latin1', 0, 12).startsWith('HTTP/1.1 101')) {
      over(NO_STATUS, data.toString('latin1', 0, Math.min(end, 200)))
      return data.length
    }
    upgraded = true
    opened(client)
    return end + HEAD_END.length
  }

  /** Takes one frame and says where the next begins; -1 while it is not whole. */
  const frame = (data: Buffer, at: number): number => {
    const left = data.length - at
    if (left < 2) return -1
    const short = data[at + 1]! & 0x7f
    const head = short === 126 ? 4 : short === 127 ? 10 : 2
    if (left < head) return -1
    const length = short < 126 ? short : short === 126 ? data.readUInt16BE(at + 2) : data.readUInt32BE(at + 6)
    if (left < head + length) return -1
    const from = at + head
    const to = from + length
    const first = data[at]!
    const opcode = first & 0x0f
    if ((first & 0xf0) !== 0x80) over(NO_STATUS, 'a fragment, which this client does not know')
    else if (opcode === TEXT) text(client, data, from, to)
    else if (opcode === PING) write(PONG, data.toString('latin1', from, to), 'latin1')
    else if (opcode === CLOSE)
      over(length >= 2 ? data.readUInt16BE(from) : NO_STATUS, data.toString('utf8', Math.min(from + 2, to), to))
    return to
  }

  const write = (opcode: number, content: string, encoding: BufferEncoding) => {
    const length = Buffer.byteLength(content, encoding)
    const head = length < 126 ? 6 : length < 65_536 ? 8 : 14
    const out = Buffer.alloc(head + length)
    out[0] = 0x80 | opcode
    out[1] = 0x80 | (head === 6 ? length : head === 8 ? 126 : 127)
    if (head === 8) out.writeUInt16BE(length, 2)
    if (head === 14) out.writeUInt32BE(length, 6)
    out.write(content, head, encoding)
    socket.write(out)
  }

  const socket: Socket = connect({
    host: '127.0.0.1',
    port,
    ...(localAddress && { localAddress }),
    noDelay: true,
    onread: {
      buffer: shared,
      callback: (count, buffer) => {
        read((buffer as Buffer).subarray(0, count))
        return true
      },
    },
  })
  const lines = [`GET ${path} HTTP/1.1`, `Host: 127.0.0.1:${port}`, 'Connection: Upgrade', 'Upgrade: websocket']
  lines.push('Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==')
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`)
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  socket.on('error', (error) => over(NO_STATUS, error.message))
  socket.on('close', () => over(NO_STATUS, 'the line was cut'))
  const client: SwarmClient = {
    send: (content) => {
      if (!isOver) write(TEXT, content, 'utf8')
    },
    destroy: () => over(NO_STATUS, 'ended here'),
  }
  return client
}

/** Does something for every index with at most `inFlight` under way. */
export const spread = async (count: number, inFlight: number, act: (at: number) => Promise<void>): Promise<void> => {
  let next = 0
  const worker = async () => {
    while (next < count) await act(next++)
  }
  await Promise.all(Array.from({ length: Math.min(inFlight, count) }, worker))
}

/** Times in milliseconds, counted in steps of 2 % from a microsecond to minutes: bounded whatever comes. */
export type Histogram = { add(ms: number): void; counts(): number[] }
const STEP = Math.log(1.02)
const MICROSECOND = 0.001
const STEPS = 1024

export const histogram = (counts = new Array<number>(STEPS).fill(0)): Histogram => ({
  add: (ms) => {
    const at = Math.round(Math.log(Math.max(ms, MICROSECOND) / MICROSECOND) / STEP)
    counts[Math.min(at, STEPS - 1)]! += 1
  },
  counts: () => [...counts],
})

/** The time below which that share of all stayed, over histograms of several processes. */
export const percentile = (all: readonly (readonly number[])[], share: number): number => {
  const sums = Array.from({ length: STEPS }, (_, at) => all.reduce((sum, counts) => sum + (counts[at] ?? 0), 0))
  const total = sums.reduce((sum, count) => sum + count, 0)
  let seen = 0
  const found = sums.findIndex((count) => (seen += count) >= total * share && count > 0)
  return found < 0 ? Number.NaN : MICROSECOND * Math.exp(found * STEP)
}
