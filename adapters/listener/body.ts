// Collects a request's body as it comes in. Nothing is kept past what the reader allowed; before anybody reads, a small
// amount is held and the sender is paused.
import { ListenerError } from './index.ts'

export type Body = {
  /** The chunk must be the body's own: it is kept. */
  push(chunk: Uint8Array): void
  end(): void
  fail(code: ListenerError['code']): void
  read(bytesMax: number): Promise<Uint8Array>
}

/** Held for a handler that has not asked yet; past it the sender waits. */
export const heldBytesMax = 65_536

const messages: Record<ListenerError['code'], string> = {
  body_too_large: 'the body is larger than allowed here',
  body_timeout: 'the body did not arrive in time',
  aborted: 'the client left before its request was answered',
}

export type BodySource = { announced: number; timeoutMs: number; pause(): void; resume(): void }

export const createBody = ({ announced, timeoutMs, pause, resume }: BodySource): Body => {
  let chunks: Uint8Array[] = []
  let bytes = 0
  let limit = Infinity
  let state: 'open' | 'complete' | ListenerError['code'] = 'open'
  let waiting: { resolve(body: Uint8Array): void; reject(error: Error): void } | null = null
  let timer: NodeJS.Timeout | undefined

  const settle = (next: typeof state) => {
    if (state !== 'open') return
    state = next
    clearTimeout(timer)
    if (state !== 'complete') chunks = []
    tell()
  }
  const tell = () => {
    if (!waiting || state === 'open') return
    const { resolve, reject } = waiting
    waiting = null
    if (state === 'complete') resolve(joined(chunks, bytes))
    else reject(new ListenerError(state, messages[state]))
    chunks = []
  }
  return {
    push(chunk) {
      if (state !== 'open') return
      bytes += chunk.length
      if (bytes > limit) return settle('body_too_large')
      chunks.push(chunk)
      if (!waiting && bytes > heldBytesMax) pause()
    },
    end: () => settle('complete'),
    fail: (code) => settle(code),
    read(bytesMax) {
      limit = bytesMax
      const isTooLarge = bytes > limit || (announced > limit && announced !== Infinity)
      if (isTooLarge && (state === 'open' || state === 'complete')) {
        chunks = []
        state = 'body_too_large'
      }
      const body = new Promise<Uint8Array>((resolve, reject) => {
        waiting = { resolve, reject }
      })
      // a handler may answer without waiting for what it asked for
      body.catch(() => {})
      if (state === 'open') timer = setTimeout(() => settle('body_timeout'), timeoutMs)
      resume()
      tell()
      return body
    },
  }
}

const joined = (chunks: Uint8Array[], bytes: number): Uint8Array => {
  if (chunks.length === 1) return chunks[0]!
  return chunks.length === 0 ? new Uint8Array() : Buffer.concat(chunks, bytes)
}
