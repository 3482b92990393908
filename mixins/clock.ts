// Keeps a movable clock the same on every node and across restarts: its offset is a document, a move is a notice to all.
import type { ServiceBroker } from 'moleculer'
import type { Doc } from '../adapters/documents/index.ts'
import { collection } from '../adapters/documents/index.ts'
import { isMovable } from '../adapters/clock/index.ts'
import { nodeOf, type Node } from './node.ts'

export type Setting = Doc & { offsetMs: number }
export const platformSettings = collection<Setting>('platform_settings')
const CLOCK = 'clock'
export const CLOCK_MOVED = 'clock.moved'

/** Before any service starts, a sandbox clock stands where the last process left it. */
export const platformClock = () => ({
  name: 'PlatformClock',
  async starting(broker: ServiceBroker) {
    const node = nodeOf(broker, broker.logger)
    const { clock } = node
    if (!isMovable(clock)) return
    const documents = await node.open('documents')
    await documents.declare([platformSettings])
    clock.moveTo((await documents.get(platformSettings, CLOCK))?.offsetMs ?? 0)
    const fanout = await node.open('fanout')
    fanout.onNodes(CLOCK_MOVED, (offsetMs) => clock.moveTo(offsetMs as number))
  },
})

/** Moves the clock here, in the store and on every node; never back. */
export const moveClock = async (node: Node, offsetMs: number): Promise<void> => {
  const documents = await node.open('documents')
  for (;;) {
    const stored = await documents.get(platformSettings, CLOCK)
    if (stored && stored.offsetMs >= offsetMs) break
    const version = (stored?.version ?? 0) + 1
    const next: Setting = { id: CLOCK, version, offsetMs }
    const { ok } = stored
      ? await documents.replace(platformSettings, next, stored.version)
      : await documents.insert(platformSettings, next)
    if (ok) break
  }
  if (isMovable(node.clock)) node.clock.moveTo(offsetMs)
  ;(await node.open('fanout')).toNodes(CLOCK_MOVED, offsetMs)
}
