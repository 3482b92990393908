import test from 'ava'
import { startNode } from '../test/node.ts'

test('a node that is told twice to stop stops once, and both hear when it is done', async (t) => {
  const said: string[] = []
  const service = { name: 'counted', stopped: async () => void said.push('stopped') }
  const node = await startNode({ services: [service] })
  const documents = await node.open('documents')
  const close = documents.close.bind(documents)
  documents.close = async () => {
    await close()
    said.push('closed')
  }
  await Promise.all([node.broker.stop(), node.broker.stop()])
  t.deepEqual(said, ['stopped', 'closed'])
  await node.stop()
  t.deepEqual(said, ['stopped', 'closed'])
})
