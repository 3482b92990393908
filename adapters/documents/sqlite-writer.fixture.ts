// A process of its own that writes to a file: `<file> <prefix> <count>`. It says every id on a line once it is
// acknowledged.
import { collection } from './index.ts'
import type { Doc } from './index.ts'
import { openSqlite } from './sqlite.ts'

const WRITERS = 32
const [file = '', prefix = '', count = '0'] = process.argv.slice(2)
const entries = collection<Doc & { writer: string }>('entries', { byWriter: { keys: ['writer'] } })
const documents = await openSqlite({ file, log: console })
await documents.declare([entries])

let next = 0
const writer = async () => {
  while (next < Number(count)) {
    const id = `${prefix}-${next++}`
    const outcome = await documents.insert(entries, { id, version: 1, writer: prefix })
    if (outcome.ok) process.stdout.write(`${id}\n`)
  }
}
await Promise.all(Array.from({ length: WRITERS }, writer))
await documents.close()
