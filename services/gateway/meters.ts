// What the gateway counts.
import type { Metrics } from '../../mixins/metrics.ts'

export type Meters = ReturnType<typeof meters>

export const meters = (metrics: Metrics) => {
  const requests = metrics.counter('gigwire_http_requests_total', 'Answers, by declared route and status')
  const durations = metrics.histogram(
    'gigwire_http_request_duration_seconds',
    'Time to the answer, by declared route; prepared answers are not timed',
  )
  const hot = metrics.counter('gigwire_hot_answers_total', 'Public reads: hit (prepared), miss (made for the request)')
  const shed = metrics.counter('gigwire_shed_total', 'Requests and frames refused to protect the node, by reason')
  const frames = metrics.counter('gigwire_ws_frames_total', 'Frames from clients, by operation')
  const closes = metrics.counter('gigwire_ws_closes_total', 'Closed sockets, by close code')
  const sockets = metrics.gauge('gigwire_ws_connections', 'Open sockets')()
  const deliveries = metrics.counter('gigwire_ws_deliveries_total', 'Frames handed to sockets')()
  return {
    answered: (route: string, status: number) => requests({ route, status: String(status) }),
    took: (route: string) => durations({ route }),
    hotHit: hot({ result: 'hit' }),
    hotMiss: hot({ result: 'miss' }),
    shed: (reason: string) => shed({ reason }),
    frame: (op: string) => frames({ op }),
    closed: (code: number) => closes({ code: String(code) }),
    sockets,
    deliveries,
    backpressureCloses: metrics.counter(
      'gigwire_ws_backpressure_closes_total',
      'Sockets closed for reading too slowly',
    )(),
  }
}
