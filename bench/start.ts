// What it takes to have the market running: npm ci in a fresh copy of the last commit, the first start (demo data are
// made), a later start, and what an idle process holds. `npm run bench:start [-- --runs 5 --no-install]`.
import { execFileSync } from 'node:child_process'
import { cpSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { endedChildrenCpuSeconds, median, megabytes, seconds, startBenchNode, table } from './harness.ts'

const IDLE_MS = 10_000
const { values } = parseArgs({
  options: { runs: { type: 'string', default: '5' }, install: { type: 'boolean', default: true } },
  allowNegative: true,
})
const runs = Number(values.runs)
const root = fileURLToPath(new URL('..', import.meta.url))
const scratch = mkdtempSync(join(tmpdir(), 'gigwire-bench-'))

type Measured = { wallSeconds: number; cpuSeconds: number; bytes: number }

/** A copy of the last commit, as a newcomer has it. */
const clone = (name: string): string => {
  const folder = join(scratch, name)
  execFileSync('git', ['clone', '--quiet', '--depth', '1', `file://${root}`, folder])
  return folder
}

const install = (folder: string, ...flags: string[]): Measured => {
  rmSync(join(folder, 'node_modules'), { recursive: true, force: true })
  const cpu = endedChildrenCpuSeconds()
  const at = performance.now()
  execFileSync('npm', ['ci', '--cache', join(scratch, 'npm-cache'), ...flags], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'ignore'],
  })
  return {
    wallSeconds: (performance.now() - at) / 1000,
    cpuSeconds: endedChildrenCpuSeconds() - cpu,
    bytes: bytesOnDisk(join(folder, 'node_modules')),
  }
}

const bytesOnDisk = (folder: string): number =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + lstatSync(join(entry.parentPath, entry.name)).blocks * 512, 0)

/** One start over a data directory; `idleMs` later the memory is read. */
const start = async (folder: string, dataDir: string, idleMs = 0): Promise<Measured> => {
  const node = await startBenchNode({ folder, dataDir })
  const { cpuSeconds } = node.usage()
  const page = await fetch(node.url)
  if (!page.ok) throw new Error(`the first page answered ${page.status}`)
  await sleep(idleMs)
  const { residentBytes } = node.usage()
  await node.stop()
  return { wallSeconds: node.readyMs / 1000, cpuSeconds, bytes: residentBytes }
}

const row = (what: string, measured: Measured[], size: string): string[] => {
  const of = (pick: (one: Measured) => number) => median(measured.map(pick))
  return [
    what,
    seconds(of((one) => one.wallSeconds)),
    seconds(of((one) => one.cpuSeconds)),
    `${megabytes(of((one) => one.bytes))} ${size}`,
  ]
}

const rows: string[][] = []
try {
  const folder = clone('copy')
  if (values.install) {
    const cold = install(folder)
    const [warm, withoutScripts] = [install(folder), install(folder, '--ignore-scripts')]
    rows.push(
      row('`npm ci`, empty cache', [cold], 'on disk'),
      row('`npm ci`, full cache', [warm], 'on disk'),
      row('the same with `--ignore-scripts`', [withoutScripts], 'on disk'),
    )
  } else {
    mkdirSync(join(folder, 'node_modules'))
    cpSync(join(root, 'node_modules'), join(folder, 'node_modules'), { recursive: true, verbatimSymlinks: true })
  }
  const [first, afresh, later]: Measured[][] = [[], [], []]
  for (let run = 0; run < runs; run++) {
    const [one, other] = [join(scratch, `data-${run}`), join(scratch, `afresh-${run}`)]
    rmSync(join(folder, 'node_modules', '.cache'), { recursive: true, force: true })
    first!.push(await start(folder, one))
    afresh!.push(await start(folder, other))
    later!.push(await start(folder, one, IDLE_MS))
  }
  rows.push(row('First start to ready: demo data are made, no code is compiled yet', first!, 'at ready'))
  rows.push(row('First start over another data directory, code compiled before', afresh!, 'at ready'))
  rows.push(row('Later start to ready', later!, `resident, idle for ${IDLE_MS / 1000} s`))
  console.log(`${runs} runs of each start, medians; Node ${process.version}\n`)
  console.log(table(['What', 'Wall', 'CPU', 'Size'], rows))
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
