// Starts a node: checks Node's version, turns SERVICES (short names) into service files, hands over to Moleculer's runner.
// Plain JavaScript, so that an old Node can still say what is wrong.
import { existsSync, readdirSync } from 'node:fs'
import module from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const stop = (line) => {
  console.error(`gigwire: ${line}`)
  process.exit(1)
}

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 24 || (major === 24 && minor < 12))
  stop(
    `Node ${process.versions.node} is too old: 24.12 or newer is needed (npm ci brings one where the platform has it)`,
  )

const all = readdirSync(join(root, 'services')).filter((name) =>
  existsSync(join(root, 'services', name, `${name}.service.ts`)),
)
const asked = (process.env.SERVICES ?? '')
  .split(',')
  .map((name) => name.trim())
  .filter(Boolean)
const unknown = asked.filter((name) => !all.includes(name))
if (unknown.length > 0) stop(`SERVICES names ${unknown.join(', ')}, but there are only ${all.join(', ')}`)
// The runner would read SERVICES itself, as file names.
delete process.env.SERVICES

// Stripped and compiled code is kept beside the packages: a third off the next start. Where that is read-only, or not Node, it is not.
module.enableCompileCache?.(join(root, 'node_modules', '.cache', 'gigwire'))

const { Runner } = await import('moleculer')
const files = (asked.length > 0 ? asked : all).map((name) => join(root, 'services', name, `${name}.service.ts`))
await new Runner().start([process.argv[0], process.argv[1], '-c', join(root, 'moleculer.config.ts'), ...files])
module.flushCompileCache?.()

// Between npm and this process stands a shell that keeps SIGTERM to itself: when npm was told to leave, leave as well.
const PARENT_CHECK_MS = 500
const parent = process.ppid
if (process.env.npm_lifecycle_event === 'start') {
  setInterval(() => process.ppid !== parent && process.kill(process.pid, 'SIGTERM'), PARENT_CHECK_MS).unref()
}
