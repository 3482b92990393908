// Chat: conversations of two, numbered messages, read marks. Key: the conversation's id. A message is stored, then answered,
// then sent to every connection of every member; marks and typing are told as they come and kept no longer than needed.
import { service } from '../../mixins/service.ts'
import { blocking } from './blocking.ts'
import { changing } from './changing.ts'
import { chat as contract } from './contract.ts'
import { conversations, mustBelong } from './conversation.ts'
import { blocks, inbox, toucher } from './inbox.ts'
import { messages, publicMessage } from './messages.ts'
import { noticed, readMarks, unseen } from './noticing.ts'
import { opening } from './opening.ts'
import type { Chat } from './parts.ts'
import { reading } from './reading.ts'
import { inboxMarks, recovery } from './recovery.ts'
import { saying } from './saying.ts'
import { sender } from './sending.ts'
import { typing } from './typing.ts'
import { verifyChat } from './verify.ts'

export default service(contract, async (here) => {
  const documents = await here.open('documents')
  const fanout = await here.open('fanout')
  await documents.declare([conversations, messages, inbox, inboxMarks, blocks] as never)
  const now = () => here.clock.now()
  const warn = (...args: unknown[]) => here.log.warn(...args)
  const chat: Chat = {
    documents,
    now,
    newId: here.newId,
    tell: (members, ev, data) => fanout.toUsers(members, JSON.stringify({ ev, data })),
    mine: async (id, caller) => mustBelong(await documents.get(conversations, id), caller.id),
  }
  const touching = toucher(documents, warn)
  const kept = await recovery({
    documents,
    touching,
    now,
    warn,
    nodeId: here.id,
    liveNodes: () => here.placement.nodes(contract.name),
    idAt: (at) => here.newId('msg', { id: 'first', at }).slice(0, -ID_TAIL),
  })
  const sequencer = sender({
    documents,
    now,
    newId: () => here.newId('msg'),
    stored: (message, members) => {
      chat.tell(members, 'message', publicMessage(message))
      touching.touch(message.conversation, members, message.sentAt, message.sender)
    },
  })
  return {
    actions: {
      ...opening(chat, touching),
      ...reading(chat),
      ...saying(chat, sequencer),
      ...changing(chat),
      ...typing(chat),
      ...blocking(chat),
      unseen: ({ params: { limit } }) => unseen(documents, now(), limit),
      noticed: async ({ params: { rows } }) => ({ done: await noticed(documents, rows) }),
      readMarks: ({ params: { user, conversations: asked } }) => readMarks(documents, user, asked),
      verify: () => verifyChat(documents),
    },
    stopped: async () => {
      await sequencer.box.drained()
      sequencer.box.stop()
      await kept.stop()
    },
  }
})

/** Characters of an id that are chance; those before them are time. */
const ID_TAIL = 16
