// What the measurements share: a node as a process of its own, what a process has used, and tables for docs/benchmarks.md.
// CPU and memory are read from /proc, so these run on Linux.
import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { DEFAULT_LIMITS } from '../mixins/node.ts'
import { freePorts } from '../test/market.ts'

export type Usage = { cpuSeconds: number; residentBytes: number }
export type BenchNode = {
  url: string
  opsUrl: string
  pid: number
  /** From the start of the process until it said that it takes traffic. */
  readyMs: number
  usage(): Usage
  stop(): Promise<void>
}
export type NodeOptions = {
  dataDir: string
  folder?: string
  env?: Record<string, string>
  nodeArguments?: string[]
  core?: number
}

const READY_WITHIN_MS = 60_000
const POLL_MS = 5
const LEAVE_WITHIN_MS = 10_000
const OUTPUT_CHARACTERS_MAX = 4000
/** What the kernel counts CPU time in for /proc, on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100

/** What this process started and has not seen end: nothing of it outlives the bench, however that ends. */
const started = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of started) child.kill('SIGKILL')
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

/** Remembers a child until it has ended. */
export const owned = (child: ChildProcess): ChildProcess => {
  started.add(child)
  child.once('exit', () => started.delete(child))
  return child
}

/** Starts a market in one process and waits until it is ready. */
export const startBenchNode = async ({
  dataDir,
  folder = process.cwd(),
  env = {},
  nodeArguments = [],
  core,
}: NodeOptions): Promise<BenchNode> => {
  const [freePort, opsPort] = await freePorts(2)
  const port = env['PORT'] ?? freePort
  const startedAt = performance.now()
  const [command, ...rest] = pinned(core, [process.execPath, ...nodeArguments, 'scripts/start.mjs'])
  const child = spawn(command!, rest, {
    cwd: folder,
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      DATA_DIR: dataDir,
      PORT: String(port),
      OPS_PORT: String(opsPort),
      LOG_LEVEL: 'warn',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  owned(child)
  let printed = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => (printed = (printed + chunk).slice(-OUTPUT_CHARACTERS_MAX)))
  const opsUrl = `http://127.0.0.1:${opsPort}`
  while (!(await isReady(opsUrl))) {
    if (child.exitCode !== null || performance.now() - startedAt > READY_WITHIN_MS) {
      await end(child)
      throw new Error(`the node did not become ready:\n${printed}`)
    }
    await sleep(POLL_MS)
  }
  const readyMs = performance.now() - startedAt
  return {
    url: `http://127.0.0.1:${port}`,
    opsUrl,
    pid: child.pid!,
    readyMs,
    usage: () => usageOf(child.pid!),
    stop: () => end(child),
  }
}

/** A program of the bench's own as a process, asked over IPC: one question at a time, one answer each. */
export type Child = {
  pid: number
  ask<A>(question: object): Promise<A>
  usage(): Usage
  stop(): Promise<void>
}
export type ChildOptions = { core?: number | undefined; env?: Record<string, string>; nodeArguments?: string[] }

export const startChild = (file: URL, args: readonly string[], options: ChildOptions = {}): Child => {
  const { core, env = {}, nodeArguments = [] } = options
  const [command, ...rest] = pinned(core, [process.execPath, ...nodeArguments, fileURLToPath(file), ...args])
  const child = spawn(command!, rest, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    serialization: 'advanced',
  })
  owned(child)
  const ask = <A>(question: object): Promise<A> =>
    new Promise((resolve, reject) => {
      const ended = (code: number | null) => reject(new Error(`${fileURLToPath(file)} ended with ${code}`))
      child.once('exit', ended)
      child.once('message', (answer: { failed?: string }) => {
        child.off('exit', ended)
        if (answer.failed === undefined) resolve(answer as A)
        else reject(new Error(answer.failed))
      })
      child.send(question)
    })
  return { pid: child.pid!, ask, usage: () => usageOf(child.pid!), stop: () => leave(child) }
}

/** Lets it end by itself, so that a profile is written. */
const leave = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = new Promise((resolve) => child.once('exit', resolve))
  child.disconnect()
  const timer = setTimeout(() => child.kill('SIGKILL'), LEAVE_WITHIN_MS)
  await exited
  clearTimeout(timer)
}

/** The other side of `startChild`: answers every question until the parent is gone. */
export const answerParent = (answer: (question: never) => Promise<object>): void => {
  process.on('message', (question) => {
    answer(question as never).then(
      (given) => process.send!(given),
      (error: unknown) =>
        process.send!({ failed: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    )
  })
  process.on('disconnect', () => process.exit())
}

/** On one core where the system can do that and there is more than one. */
export const pinned = (core: number | undefined, command: readonly string[]): string[] =>
  core === undefined || process.platform !== 'linux' || availableParallelism() < 2
    ? [...command]
    : ['taskset', '-c', String(core), ...command]

/** What one process may have open, as the kernel says. */
export const openFilesMax = (): number =>
  Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? 1024)

/** Budgets beyond any bench: what is measured is serving, not refusing. */
export const UNLIMITED = Object.keys(DEFAULT_LIMITS)
  .map((name) => `${name}=100000000/100000000`)
  .join(',')

const isReady = (opsUrl: string): Promise<boolean> =>
  fetch(`${opsUrl}/health/ready`).then(
    ({ ok }) => ok,
    () => false,
  )

const end = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await exited
}

/** User and system time of all threads, and resident memory. */
export const usageOf = (pid: number): Usage => {
  const { fields } = statOf(pid)
  const residentKilobytes = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
  return { cpuSeconds: (fields[11]! + fields[12]!) / TICKS_PER_SECOND, residentBytes: residentKilobytes * 1024 }
}

/** CPU of all children of this process that have ended, theirs included. */
export const endedChildrenCpuSeconds = (): number => {
  const { fields } = statOf(process.pid)
  return (fields[13]! + fields[14]!) / TICKS_PER_SECOND
}

/** The fields after the name, which may itself contain spaces and brackets. */
const statOf = (pid: number): { fields: number[] } => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return {
    fields: stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number),
  }
}

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** In another order every time, so that nobody always comes after the same one. */
export const shuffled = <T>(list: readonly T[]): T[] =>
  list
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)

export const ratio = (value: number, base: number): string => `${(value / base).toFixed(2)} ×`
export const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`
export const seconds = (value: number): string => `${value.toFixed(2)} s`

/** A Markdown table, as docs/benchmarks.md has them. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')
