// Loaded into a money node with --import: a guarantee is switched off in it, so that the judge can be seen to notice.
import { mutate, sayChanged, type Piece } from '../../mutation.ts'

const MUTATIONS: Record<string, readonly Piece[]> = {
  /** Whoever wrongly thinks they are the owner is not stopped any more: the later write stands, whatever was there. */
  fencing: [
    {
      file: '/adapters/documents/sqlite-statements.ts',
      from: 'VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING`',
      to: 'VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET version = excluded.version, doc = excluded.doc`',
    },
    {
      file: '/adapters/documents/sqlite-statements.ts',
      from: 'doc = ? WHERE id = ? AND version = ?`',
      to: 'doc = ? WHERE id = ? AND ? > 0`',
    },
  ],
  /** What was sent once is sent under another key the next time, and nobody looks whether it had been done. */
  idempotency: [
    {
      file: '/services/payment/operation.ts',
      from: 'key: `${doc.id}:${name}:${attempt}`',
      to: 'key: `${doc.id}:${name}:${Math.random()}`',
    },
    {
      file: '/services/payment/operation.ts',
      from: "before?.name === name && before.state !== 'settled' &&",
      to: 'false &&',
    },
  ],
}

const name = process.env['CHAOS_MUTANT']
if (name !== undefined) mutate(MUTATIONS[name]!, sayChanged)
