// Runs the tests and closes with one plain line that says how many passed and failed. Arguments go to AVA.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const ava = fileURLToPath(new URL('../node_modules/ava/entrypoints/cli.js', import.meta.url))
const child = spawn(process.execPath, [ava, ...process.argv.slice(2)], { stdio: ['inherit', 'pipe', 'inherit'] })

let tail = ''
let line = ''
let ticks = 0
child.stdout.on('data', (chunk) => {
  process.stdout.write(chunk)
  tail = (tail + chunk).slice(-20_000)
  const lines = (line + chunk).split('\n')
  line = lines.pop() ?? ''
  ticks += lines.filter((one) => one.startsWith('  ✔ ')).length
})
child.stdout.setEncoding('utf8')
child.on('close', (code) => {
  const count = (what) => Number([...tail.matchAll(new RegExp(`^\\s*(\\d+) tests? ${what}`, 'gm'))].at(-1)?.[1] ?? 0)
  // An exit that no test explains (a crash, an uncaught error, nothing found) is a failure all the same.
  const failed = count('failed') || (code === 0 ? 0 : 1)
  // AVA says how many passed only when all did.
  console.log(`${count('passed') || ticks} passed, ${failed} failed, ${count('skipped')} skipped`)
  process.exit(code ?? 1)
})
