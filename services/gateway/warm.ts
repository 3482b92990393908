// Which public addresses are asked for most, remembered in the store, so that a gateway that starts has their answers
// before anybody asks.
import { collection, type Doc, type Documents } from '../../adapters/documents/index.ts'
import type { Log } from '../../mixins/node.ts'
import { repeated } from '../../mixins/repeated.ts'

export type Warm = {
  /** An answer was at hand: one of HITS_PER_LOOK is looked at. */
  hit(url: string): void
  /** One had to be asked for. */
  miss(url: string): void
  /** Asks for what was liked last time, in the background. */
  start(): void
  stop(): Promise<void>
}
export type WarmParts = {
  documents: Documents
  log: Log
  /** Asks as a stranger would; the status of the answer. */
  ask: (url: string) => Promise<number>
}

/** Addresses counted at once, and those that are remembered. */
export const COUNTED_MAX = 2000
export const REMEMBERED_MAX = 200
const ADDRESS_LETTERS_MAX = 500
const HITS_PER_LOOK = 64
const REMEMBER_EVERY_MS = 60_000
/** How many are made at once, how long who can't answer yet is asked again, and when that is given up. */
const AT_ONCE = 4
const RETRY_MS = 250
const WITHIN_MS = 60_000

type Liked = Doc & { addresses: string[] }
export const liked = collection<Liked>('hot_addresses')
const ID = 'liked'

export const warm = async ({ documents, log, ask }: WarmParts): Promise<Warm> => {
  await documents.declare([liked])
  let counts = new Map<string, number>()
  let looks = 0
  let isStopped = false

  const count = (url: string, times: number) => {
    if (!url.startsWith('/v1/') || url.length > ADDRESS_LETTERS_MAX) return
    const known = counts.get(url)
    if (known !== undefined || counts.size < COUNTED_MAX) counts.set(url, (known ?? 0) + times)
  }

  const remember = async () => {
    const most = [...counts].sort(([, one], [, other]) => other - one)
    // What was liked long ago fades, and makes room.
    counts = new Map(most.map(([url, times]) => [url, times >> 1] as const).filter(([, times]) => times > 0))
    const addresses = most.slice(0, REMEMBERED_MAX).map(([url]) => url)
    if (addresses.length === 0) return
    const before = await documents.get(liked, ID)
    // Of several gateways the last one is right: each sees a fair part of who comes.
    if (before) await documents.replace(liked, { ...before, version: before.version + 1, addresses }, before.version)
    else await documents.insert(liked, { id: ID, version: 1, addresses })
  }
  const rememberQuietly = () =>
    remember().catch((error: unknown) => log.debug('what is asked for most is not remembered now:', error))
  const again = repeated(REMEMBER_EVERY_MS, log, 'remembering what is asked for most', rememberQuietly)

  const warmUp = async () => {
    const left = [...((await documents.get(liked, ID))?.addresses ?? [])]
    const until = Date.now() + WITHIN_MS
    const worker = async () => {
      for (let url = left.shift(); url !== undefined; url = left.shift())
        while (!isStopped && (await ask(url)) >= 500 && Date.now() < until) await pause(RETRY_MS)
    }
    await Promise.all(Array.from({ length: AT_ONCE }, worker))
  }

  return {
    hit: (url) => {
      looks += 1
      if (looks % HITS_PER_LOOK === 0) count(url, HITS_PER_LOOK)
    },
    miss: (url) => count(url, 1),
    start: () => {
      again.start()
      void warmUp().catch((error: unknown) => log.debug('answers could not be warmed up:', error))
    },
    stop: async () => {
      isStopped = true
      await again.stop()
      await rememberQuietly()
    },
  }
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms).unref())
