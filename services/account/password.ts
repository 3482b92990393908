// Passwords as argon2id hashes (OWASP: 19 MiB, two passes), kept in the PHC form that names its own parameters.
// Hashing is made to be slow, so it is a way to be flooded: few at once, a short queue, then 'overloaded'.
import * as crypto from 'node:crypto'
import { refuse } from '../errors.ts'

export type Parameters = { memoryKiB: number; passes: number; lanes: number }
export const PARAMETERS: Parameters = { memoryKiB: 19_456, passes: 2, lanes: 1 }
export const HASHES_AT_ONCE = 2
/** Hashes that may wait; at a tenth of a second each the last one waits about three seconds. */
export const HASHES_WAITING_MAX = 64

const SALT_BYTES = 16
const TAG_BYTES = 32

export type Passwords = {
  hash(password: string): Promise<string>
  /** Does the same work whether there is something to compare with or not, so that time does not tell who exists. */
  matches(password: string, encoded: string): Promise<boolean>
}

export const passwords = (parameters: Parameters = PARAMETERS): Passwords => {
  const queue = bounded()
  const decoy = encode({ parameters, salt: Buffer.alloc(SALT_BYTES), tag: Buffer.alloc(TAG_BYTES) })
  return {
    hash: (password) =>
      queue(async () => {
        const salt = crypto.randomBytes(SALT_BYTES)
        return encode({ parameters, salt, tag: await derive(password, salt, parameters) })
      }),
    matches: (password, encoded) =>
      queue(async () => {
        const known = decode(encoded)
        const { salt, tag, parameters: taken } = known ?? decode(decoy)!
        return crypto.timingSafeEqual(await derive(password, salt, taken), tag) && known !== null
      }),
  }
}

/** True when a hash was made with other parameters than today's and should be made anew at the next sign-in. */
export const isOutdated = (encoded: string, wanted: Parameters = PARAMETERS): boolean => {
  const made = decode(encoded)?.parameters
  return made?.memoryKiB !== wanted.memoryKiB || made.passes !== wanted.passes || made.lanes !== wanted.lanes
}

type Encoded = { parameters: Parameters; salt: Buffer; tag: Buffer }

const encode = ({ parameters: { memoryKiB, passes, lanes }, salt, tag }: Encoded): string =>
  `$argon2id$v=19$m=${memoryKiB},t=${passes},p=${lanes}$${unpadded(salt)}$${unpadded(tag)}`
const unpadded = (bytes: Buffer) => bytes.toString('base64').replaceAll('=', '')

const PHC = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{43})$/

const decode = (encoded: string): Encoded | null => {
  const [, memoryKiB, passes, lanes, salt, tag] = PHC.exec(encoded) ?? []
  if (!salt || !tag) return null
  return {
    parameters: { memoryKiB: Number(memoryKiB), passes: Number(passes), lanes: Number(lanes) },
    salt: Buffer.from(salt, 'base64'),
    tag: Buffer.from(tag, 'base64'),
  }
}

/** Node hashes on its own threads; where that is missing (Deno), WebAssembly gives the same bytes. */
const derive = (password: string, salt: Buffer, parameters: Parameters): Promise<Buffer> => {
  // One person types é as one character, another's keyboard as two: the same password.
  const message = Buffer.from(password.normalize('NFKC'))
  return typeof crypto.argon2 === 'function'
    ? deriveNatively(message, salt, parameters)
    : deriveInWasm(message, salt, parameters)
}

const deriveNatively = (message: Buffer, nonce: Buffer, { memoryKiB, passes, lanes }: Parameters): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const asked = { message, nonce, parallelism: lanes, tagLength: TAG_BYTES, memory: memoryKiB, passes }
    crypto.argon2('argon2id', asked, (error, tag) => (error ? reject(error) : resolve(tag)))
  })

export const deriveInWasm = async (
  password: Buffer,
  salt: Buffer,
  { memoryKiB, passes, lanes }: Parameters,
): Promise<Buffer> => {
  const { argon2id } = await import('hash-wasm')
  const asked = { password, salt, parallelism: lanes, iterations: passes, memorySize: memoryKiB, hashLength: TAG_BYTES }
  return Buffer.from(await argon2id({ ...asked, outputType: 'binary' }))
}

const bounded = () => {
  const waiting: (() => void)[] = []
  let running = 0
  return async <R>(job: () => Promise<R>): Promise<R> => {
    if (running < HASHES_AT_ONCE) running++
    else if (waiting.length >= HASHES_WAITING_MAX)
      throw refuse('overloaded', 'too many people are signing in right now', { retryAfterSeconds: 2 })
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await job()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else running--
    }
  }
}
