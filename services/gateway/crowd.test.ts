// A crowd at one cold page, over HTTP, down to the real engine.
import test from 'ava'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Engine } from '../../adapters/engine/index.ts'
import { openEmbeddedEngine } from '../../adapters/engine/embedded.ts'
import account from '../account/account.service.ts'
import gig from '../gig/gig.service.ts'
import search from '../search/search.service.ts'
import { LISTENERS, startGateway } from './testing.ts'

const run = promisify(execFile)
const CROWD = fileURLToPath(new URL('../../test/crowd.ts', import.meta.url))
const CLIENTS = 10_000
/** What a process has open besides: files, workers, the store. */
const FILES_BESIDE = 500

const openFilesMax = async (): Promise<number> =>
  Number(/^Max open files\s+(\d+)/m.exec(await readFile('/proc/self/limits', 'utf8').catch(() => ''))?.[1] ?? 1024)

/** The engine, with its searches counted. */
const counted = async (dir: string) => {
  const engine = await openEmbeddedEngine({ dir, log: { info() {}, warn() {}, error() {} } })
  const asked = { searches: 0 }
  const counting: Engine = {
    ...engine,
    search: (query) => {
      asked.searches++
      return engine.search(query)
    },
  }
  return { counting, asked }
}

for (const listener of LISTENERS)
  test.serial(
    `${listener}: ten thousand who ask for the same cold listing at once cost the engine one search`,
    async (t) => {
      t.timeout(120_000)
      const dir = await mkdtemp(join(tmpdir(), 'gigwire-crowd-'))
      t.teardown(() => rm(dir, { recursive: true, force: true }))
      const { counting, asked } = await counted(dir)
      const { base, stop } = await startGateway({
        env: { LISTENER: listener, RATE_LIMITS: 'address=100000/100000' },
        services: [account, gig, search],
        products: { engine: () => counting },
      })
      t.teardown(stop)
      const clients = Math.min(CLIENTS, (await openFilesMax()) - FILES_BESIDE)
      const before = asked.searches
      const { stdout } = await run(process.execPath, [CROWD, new URL(base).port, '/v1/gigs?q=logo', String(clients)])
      t.deepEqual(JSON.parse(stdout), { 200: clients })
      t.is(asked.searches - before, 1)
    },
  )
