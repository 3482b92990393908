// Seeds over worker threads: each seed is a world of its own, so they only share the machine.
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { simulate, type Result } from './money.ts'
import type { Mutation } from './mutant.ts'

export type Ran = Omit<Result, 'steps'> & { cpuMs: number }
export type PoolOptions = {
  seeds: readonly number[]
  threads?: number
  /** Runs changed source. */
  mutant?: Mutation
  /** Answers whether to go on. */
  each(ran: Ran): boolean
}

if (!isMainThread && parentPort)
  parentPort.on('message', async (seed: number) => {
    const from = process.threadCpuUsage()
    const { failure, counts } = await simulate(seed)
    const { user, system } = process.threadCpuUsage(from)
    parentPort!.postMessage({ seed, failure, counts, cpuMs: (user + system) / 1000 } satisfies Ran, [])
  })

export const runSeeds = async ({
  seeds,
  threads = availableParallelism(),
  mutant,
  each,
}: PoolOptions): Promise<void> => {
  const left = [...seeds].reverse()
  const changed = {
    env: { SIM_MUTANT: mutant },
    execArgv: ['--import', fileURLToPath(new URL('mutant.ts', import.meta.url))],
  }
  await Promise.all(
    Array.from({ length: Math.min(threads, seeds.length) }, async () => {
      const worker = new Worker(new URL(import.meta.url), mutant === undefined ? {} : changed)
      try {
        for (let seed = left.pop(); seed !== undefined; seed = left.pop()) {
          const ran = await asked(worker, seed)
          if (!each(ran)) left.length = 0
        }
      } finally {
        await worker.terminate()
      }
    }),
  )
}

const asked = (worker: Worker, seed: number) =>
  new Promise<Ran>((resolve, reject) => {
    worker.once('error', reject)
    worker.once('message', (ran: Ran) => {
      worker.off('error', reject)
      resolve(ran)
    })
    worker.postMessage(seed, [])
  })
