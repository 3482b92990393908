// For tests: a WebSocket client on bare TCP that sends any bytes, well formed or not, and reads what a server may send.
import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'

export type FrameOptions = {
  code?: number
  isLast?: boolean
  reserved?: number
  isMasked?: boolean
  /** Said in the head instead of the payload's. */
  length?: bigint
}
export const TEXT = 1
export const BINARY = 2
export const CLOSE_FRAME = 8
export const PING = 9

/** One frame as a client sends it, unless told otherwise. */
export const frame = (
  payload: string | Uint8Array,
  { code = TEXT, isLast = true, reserved = 0, isMasked = true, length }: FrameOptions = {},
): Buffer => {
  const bytes = Buffer.from(payload as string)
  const mask = isMasked ? randomBytes(4) : Buffer.alloc(0)
  const head = lengthOf(length ?? BigInt(bytes.length))
  head[1]! |= isMasked ? 0x80 : 0
  head[0] = (isLast ? 0x80 : 0) | (reserved << 4) | code
  return Buffer.concat([head, mask, isMasked ? bytes.map((byte, at) => byte ^ mask[at % 4]!) : bytes])
}

const lengthOf = (length: bigint): Buffer => {
  if (length < 126n) return Buffer.from([0, Number(length)])
  const head = Buffer.alloc(length < 65_536n ? 4 : 10)
  head[1] = length < 65_536n ? 126 : 127
  if (length < 65_536n) head.writeUInt16BE(Number(length), 2)
  else head.writeBigUInt64BE(length, 2)
  return head
}

export const handshake = (token: string): string =>
  'GET /v1/realtime HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
  `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer ${token}\r\n\r\n`

export type Wire = {
  socket: Socket
  texts: string[]
  pongs: number
  /** The server has answered the handshake. */
  isOpen: boolean
  /** 1006 where the connection ended without a close frame; null while it lives. */
  closed: number | null
  send(...parts: (string | Uint8Array)[]): void
  end(): void
}

export const wire = async (port: number): Promise<Wire> => {
  const socket = connect(port, '127.0.0.1')
  const one: Wire = {
    socket,
    texts: [],
    pongs: 0,
    isOpen: false,
    closed: null,
    send: (...parts) => void socket.write(Buffer.concat(parts.map((part) => Buffer.from(part as string)))),
    end: () => void socket.destroy(),
  }
  let left = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    left = Buffer.concat([left, chunk])
    if (!one.isOpen) {
      const end = left.indexOf('\r\n\r\n')
      if (end < 0) return
      one.isOpen = true
      left = left.subarray(end + 4)
    }
    for (let read = next(left); read; read = next(left)) {
      left = left.subarray(read.size)
      if (read.code === TEXT) one.texts.push(read.payload.toString())
      else if (read.code === CLOSE_FRAME) one.closed = read.payload.length >= 2 ? read.payload.readUInt16BE() : 1005
      else one.pongs += 1
    }
  })
  socket.on('error', () => undefined)
  socket.on('close', () => (one.closed ??= 1006))
  await new Promise((resolve) => socket.once('connect', resolve))
  return one
}

/** The first whole frame of what a server sent. */
const next = (bytes: Buffer): { code: number; payload: Buffer; size: number } | null => {
  if (bytes.length < 2) return null
  const short = bytes[1]! & 0x7f
  const head = short < 126 ? 2 : short === 126 ? 4 : 10
  if (bytes.length < head) return null
  const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2))
  if (bytes.length < head + length) return null
  return { code: bytes[0]! & 0x0f, payload: bytes.subarray(head, head + length), size: head + length }
}
