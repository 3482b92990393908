// The outside world as the services see it. moleculer.config.ts alone decides which product stands behind each port.
import type { Cache } from './cache/index.ts'
import type { Clock } from './clock/index.ts'
import type { Documents } from './documents/index.ts'
import type { Engine } from './engine/index.ts'
import type { Fanout } from './fanout/index.ts'
import type { Files } from './files/index.ts'
import type { OpenListener } from './listener/index.ts'
import type { Mail } from './mail/index.ts'
import type { Payments } from './payments/index.ts'
import type { Push } from './push/index.ts'

export interface Adapters {
  documents: Documents
  cache: Cache
  engine: Engine
  fanout: Fanout
  files: Files
  mail: Mail
  payments: Payments
  push: Push
  clock: Clock
  listener: OpenListener
}

/** How each adapter is made. Opened on first use by a service that needs it, closed once when the node stops. */
export type AdapterFactories = {
  [K in keyof Adapters]: (context: AdapterContext) => Promise<Adapters[K]> | Adapters[K]
}

export type AdapterContext = {
  nodeId: string
  log: { info(...args: unknown[]): void; warn(...args: unknown[]): void; error(...args: unknown[]): void }
  /** The platform's clock, which adapters with timed behaviour (the payments sandbox) follow. */
  clock: Clock
}
