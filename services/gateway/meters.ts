// What the gateway counts.
import type { Counter, Metrics } from '../../mixins/metrics.ts'
import type { OpName } from './frames.ts'

export type Meters = ReturnType<typeof meters>

export const meters = (metrics: Metrics) => {
  const requests = metrics.counter('gigwire_http_requests_total', 'Answers, by declared route and status')
  const durations = metrics.histogram(
    'gigwire_http_request_duration_seconds',
    'Time to the answer, by declared route; prepared answers are not timed',
  )
  const hot = metrics.counter(
    'gigwire_hot_answers_total',
    'Public reads: hit (prepared), miss (asked for when none was at hand), shared (of those and renewals, found in the shared cache)',
  )
  const shed = metrics.counter('gigwire_shed_total', 'Requests and frames refused to protect the node, by reason')
  const frames = metrics.counter('gigwire_ws_frames_total', 'Frames from clients, by operation')
  const framesOf = new Map<string, Counter>()
  const closes = metrics.counter('gigwire_ws_closes_total', 'Closed sockets, by close code')
  const sockets = metrics.gauge('gigwire_ws_connections', 'Open sockets')()
  const refusals = metrics.counter('gigwire_ws_refusals_total', 'Upgrades refused, by reason')
  const resumes = metrics.counter(
    'gigwire_ws_resumes_total',
    'Answers to who came back, by operation and whether all that was missed was there',
  )
  const replayed = metrics.counter(
    'gigwire_ws_replayed_total',
    'Messages and events given to who came back, by operation',
  )
  const rings = metrics.counter(
    'gigwire_topic_reads_total',
    'Subscriptions answered from memory (ring) or by the actor',
  )
  const deliveries = metrics.counter('gigwire_ws_deliveries_total', 'Frames handed to sockets')()
  return {
    answered: (route: string, status: number) => requests({ route, status: String(status) }),
    took: (route: string) => durations({ route }),
    hotHit: hot({ result: 'hit' }),
    hotMiss: hot({ result: 'miss' }),
    hotShared: hot({ result: 'shared' }),
    shed: (reason: string) => shed({ reason }),
    /** One for each operation there is: found without naming the labels anew for every frame. */
    frame: (op: OpName) => {
      let counter = framesOf.get(op)
      if (!counter) framesOf.set(op, (counter = frames({ op })))
      return counter
    },
    closed: (code: number) => closes({ code: String(code) }),
    sockets,
    accepted: metrics.counter('gigwire_ws_accepts_total', 'Upgrades accepted')(),
    refused: (reason: string) => refusals({ reason }),
    sendToAck: metrics.histogram('gigwire_ws_send_ack_seconds', 'From the frame of a send to its answer')(),
    sendToDelivery: metrics.histogram(
      'gigwire_ws_send_delivery_seconds',
      'From when a message was stored to when it was handed to sockets here; both clocks are taken for one',
    )(),
    resumed: (op: string, recovered: boolean) => resumes({ op, recovered: String(recovered) }),
    replayed: (op: string) => replayed({ op }),
    topicRead: { ring: rings({ from: 'ring' }), actor: rings({ from: 'actor' }) },
    presenceFrames: metrics.counter('gigwire_presence_frames_total', 'Frames told to who looks at people')(),
    deliveries,
    backpressureCloses: metrics.counter(
      'gigwire_ws_backpressure_closes_total',
      'Sockets closed for reading too slowly',
    )(),
  }
}
