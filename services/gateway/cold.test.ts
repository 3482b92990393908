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
import { eventually } from '../../test/node.ts'
import { LISTENERS, startGateway } from './testing.ts'

const run = promisify(execFile)
const CROWD = fileURLToPath(new URL('../../test/crowd.ts', import.meta.url))
/** The listener of small machines gets a smaller crowd. */
const CLIENTS: Readonly<Record<string, number>> = { uws: 10_000, node: 2000 }
/** What a process has open besides: files, workers, the store. */
const FILES_BESIDE = 500

/** A call to search gives up after twenty seconds. */
const CROWD_WITHIN_MS = 18_000
const WAITING = /^gigwire_hot_answers_total\{result="miss"\} (\d+)$/m

const openFilesMax = async (): Promise<number> =>
  Number(/^Max open files\s+(\d+)/m.exec(await readFile('/proc/self/limits', 'utf8').catch(() => ''))?.[1] ?? 1024)

/** The engine, with its searches counted and held back until the gate opens. */
const counted = async (dir: string) => {
  const engine = await openEmbeddedEngine({ dir, log: { info() {}, warn() {}, error() {} } })
  const asked = { searches: 0, gate: Promise.withResolvers<void>() }
  const counting: Engine = {
    ...engine,
    search: async (query) => {
      asked.searches++
      await asked.gate.promise
      return engine.search(query)
    },
  }
  return { counting, asked }
}

for (const listener of LISTENERS)
  test.serial(
    `${listener}: ${CLIENTS[listener]} who ask for the same cold listing at once cost the engine one search`,
    async (t) => {
      t.timeout(120_000)
      const dir = await mkdtemp(join(tmpdir(), 'gigwire-crowd-'))
      t.teardown(() => rm(dir, { recursive: true, force: true }))
      const { counting, asked } = await counted(dir)
      const { base, opsBase, stop } = await startGateway({
        env: { LISTENER: listener, RATE_LIMITS: 'address=100000/100000' },
        services: [account, gig, search],
        products: { engine: () => counting },
      })
      t.teardown(stop)
      const clients = Math.min(CLIENTS[listener]!, (await openFilesMax()) - FILES_BESIDE)
      const path = '/v1/gigs?q=logo'
      const crowd = run(process.execPath, [CROWD, new URL(base).port, path, String(clients)])
      // All of them wait before there is an answer.
      await eventually(
        async () => Number(WAITING.exec(await (await fetch(`${opsBase}/metrics`)).text())?.[1] ?? 0),
        (waiting) => waiting === clients,
        CROWD_WITHIN_MS,
      )
      asked.gate.resolve()
      const { stdout } = await crowd
      t.deepEqual(JSON.parse(stdout), { 200: clients })
      t.is(asked.searches, 1)
    },
  )
