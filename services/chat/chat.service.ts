// Chat: conversations of two, numbered messages, read marks. Key: the conversation's id. A message is stored, then answered,
// then sent to every connection of every member; marks and typing are told as they come and kept no longer than needed.
import { service } from '../../mixins/service.ts'
import { blocking } from './blocking.ts'
import { changing } from './changing.ts'
import { chat as contract } from './contract.ts'
import { conversations, mustBelong } from './conversation.ts'
import { blocks, inbox, toucher } from './inbox.ts'
import { messages, publicMessage } from './messages.ts'
import { missing } from './missing.ts'
import { noticed, readMarks, unseen } from './noticing.ts'
import { offering } from './offers.ts'
import { opening } from './opening.ts'
import { pacing } from './pacing.ts'
import { tellMessage, type Chat } from './parts.ts'
import { reading } from './reading.ts'
import { inboxMarks, recovery } from './recovery.ts'
import { roster } from './roster.ts'
import { responding } from './responding.ts'
import { responded, responses } from './response.ts'
import { saying } from './saying.ts'
import { sender } from './sending.ts'
import { suspecting } from './suspicions.ts'
import { tails } from './tails.ts'
import { typing } from './typing.ts'
import { verifyChat } from './verify.ts'

export default service(contract, async (here) => {
  const documents = await here.open('documents')
  const fanout = await here.open('fanout')
  await documents.declare([conversations, messages, inbox, inboxMarks, blocks] as never)
  const now = () => here.clock.now()
  const warn = (...args: unknown[]) => here.log.warn(...args)
  const known = roster(documents)
  const chat: Chat = {
    documents,
    roster: known,
    now,
    newId: here.newId,
    tell: (people, ev, data) => chat.tellText(people, ev, JSON.stringify(data)),
    tellText: (people, ev, json) => fanout.toUsers(people, `{"ev":"${ev}","data":${json}}`),
    notify: (subject, data) => fanout.toNodes(subject, data),
    mine: async (id, caller) => mustBelong(await known.of(id), caller.id),
  }
  const touching = toucher(documents, warn)
  const kept = tails(documents)
  const mending = await recovery({
    documents,
    touching,
    now,
    warn,
    nodeId: here.id,
    liveNodes: () => here.placement.nodes(contract.name),
    idAt: (at) => here.newId('msg', { id: 'first', at }).slice(0, -ID_TAIL),
  })
  const answers = responding(
    await here.actor({
      of: responses,
      wake: (state, at) => responded(state, state.id, [], at),
      limits: { keysMax: ANSWERERS_KNOWN_MAX },
    }),
    warn,
  )
  const sequencer = sender({
    documents,
    roster: known,
    now,
    newId: () => here.newId('msg'),
    stored: (message, conversation, waitedMs) => {
      touching.touch(message.conversation, conversation.members, message.sentAt, message.sender)
      // Who opened the conversation wants something of the other, whose answers are counted.
      if (waitedMs !== null && message.sender === conversation.members[1])
        answers.answered(message.sender, { at: message.sentAt, ms: waitedMs })
      const told = publicMessage(message)
      const wire = tellMessage(chat, 'message', told, conversation)
      // One less where the last change may still be on its way to its message.
      kept.add(conversation.id, wire, Math.max(0, (conversation.lastChange ?? 0) - 1))
      return told
    },
    tellAgain: (message, conversation) => void tellMessage(chat, 'message', publicMessage(message), conversation),
  })
  const pace = pacing(chat.tell, () => sequencer.box.size().waiting)
  const suspicions = await suspecting(here)
  return {
    load: () => [{ kind: conversations.name, ...sequencer.box.size() }],
    actions: {
      ...opening(chat, touching),
      ...reading(chat, sequencer, pace),
      ...missing(chat, kept),
      ...saying(sequencer, suspicions),
      ...changing(chat, sequencer, suspicions, kept),
      ...typing(chat, pace),
      ...blocking(chat, sequencer),
      ...offering(chat, sequencer, kept),
      unseen: ({ params: { limit } }) => unseen(documents, now(), limit),
      noticed: async ({ params: { rows } }) => ({ done: await noticed(documents, rows) }),
      readMarks: ({ params: { user, conversations: asked } }) => readMarks(documents, user, asked),
      verify: () => verifyChat(documents),
    },
    hears: {
      'offer.changed': async ({ data: { conversation: id, seller, card }, call }) => {
        await call('chat.showOffer', { id, seller, card })
      },
    },
    stopped: async () => {
      await sequencer.box.drained()
      sequencer.box.stop()
      pace.stop()
      await answers.stop()
      await mending.stop()
    },
  }
})

/** Characters of an id that are chance; those before them are time. */
const ID_TAIL = 16
/** Their last answers are kept in memory between two writes. */
const ANSWERERS_KNOWN_MAX = 2000
