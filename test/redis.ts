// A Redis of a test's own on a free loopback port, that can be killed, stalled and started again on the same port.
import { spawn, type ChildProcess } from 'node:child_process'
import { freePorts } from './market.ts'
import { end, onPath, up } from './servers.ts'

export type TestRedis = {
  url: string
  signal(name: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void
  /** Started, also again: then it is empty. */
  start(): Promise<void>
  stop(): Promise<void>
}

const PROGRAM = onPath(['redis-server'])
export const hasRedis = PROGRAM !== undefined

export const startRedis = async (): Promise<TestRedis> => {
  const [port] = await freePorts(1)
  let child: ChildProcess | undefined
  const start = async () => {
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
    child = spawn(PROGRAM!, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    await up(child, port!)
  }
  await start()
  return {
    url: `redis://127.0.0.1:${port}`,
    signal: (name) => void child?.kill(name),
    start,
    stop: async () => {
      child?.kill('SIGCONT')
      if (child) await end(child)
    },
  }
}
