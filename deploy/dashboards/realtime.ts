// The Grafana dashboard of sockets and what runs over them. `node deploy/dashboards/realtime.ts` writes realtime.json beside
// it, which Grafana imports as it is; a test holds the two, and the metrics named here, to what /metrics says.
import { dashboardOf, EVERY, quantiles, rate, total, write, type Rows } from './dashboard.ts'

const ROWS: Rows = {
  'Who is connected': [
    { title: 'Open sockets', says: 'Per gateway process.', draws: { '{{instance}}': total('gigwire_ws_connections') } },
    {
      title: 'People connected',
      says: 'Accounts with a socket here.',
      draws: { '{{instance}}': total('gigwire_ws_users') },
    },
    {
      title: 'Coming in',
      says: 'Accepted, and refused by reason: crowd is the pace of one process, address that of one address.',
      unit: 'ops',
      draws: {
        accepted: `sum(rate(gigwire_ws_accepts_total${EVERY}))`,
        '{{reason}}': rate('gigwire_ws_refusals_total', 'reason'),
      },
    },
    {
      title: 'Closed, by code',
      says: '1006: lost or too slow. 4401: the session ended. 4413: too slow. 4429: flooding. 1001: drained.',
      unit: 'ops',
      draws: {
        '{{code}}': rate('gigwire_ws_closes_total', 'code'),
        'too slow': `sum(rate(gigwire_ws_backpressure_closes_total${EVERY}))`,
      },
    },
  ],
  'How fast': [
    {
      title: 'Send to answer',
      says: 'A message is stored when it is answered.',
      unit: 's',
      draws: quantiles('gigwire_ws_send_ack_seconds'),
    },
    {
      title: 'Stored to handed over',
      says: 'From the message being stored to the sockets of a gateway. Clocks of two machines may differ.',
      unit: 's',
      draws: quantiles('gigwire_ws_send_delivery_seconds'),
    },
    {
      title: 'Deliveries',
      says: 'Frames handed to sockets.',
      unit: 'ops',
      draws: { '{{instance}}': rate('gigwire_ws_deliveries_total') },
    },
    {
      title: 'Frames from clients',
      says: 'By operation.',
      unit: 'ops',
      draws: { '{{op}}': rate('gigwire_ws_frames_total', 'op') },
    },
  ],
  'Coming back': [
    {
      title: 'Resumes',
      says: 'Answers to sync and subscribe with after; recovered="false" means more has to be asked or read anew.',
      unit: 'ops',
      draws: { '{{op}} recovered {{recovered}}': rate('gigwire_ws_resumes_total', 'op, recovered') },
    },
    {
      title: 'Replayed',
      says: 'Messages and events given again.',
      unit: 'ops',
      draws: { '{{op}}': rate('gigwire_ws_replayed_total', 'op') },
    },
    {
      title: 'Topics answered from memory',
      says: 'ring: from the frames kept here. actor: the actor had to tell.',
      unit: 'ops',
      draws: { '{{from}}': rate('gigwire_topic_reads_total', 'from') },
    },
    {
      title: 'Kept for who comes back',
      says: 'Topics, and the letters of their frames.',
      draws: { topics: 'sum(gigwire_topics)', letters: 'sum(gigwire_topic_letters)' },
    },
  ],
  'What waits': [
    {
      title: 'Turns waiting',
      says: 'In the mailboxes of actors, by kind.',
      draws: { '{{kind}}': 'sum by (kind) (gigwire_actor_turns_waiting)' },
    },
    {
      title: 'Operations under way',
      says: 'Of sockets, not answered yet.',
      draws: { '{{instance}}': total('gigwire_ws_operations') },
    },
    {
      title: 'Refused to protect the node',
      says: 'By reason.',
      unit: 'ops',
      draws: { '{{reason}}': rate('gigwire_shed_total', 'reason') },
    },
    {
      title: 'Presence',
      says: 'People looked at, and frames told about them.',
      draws: {
        watched: 'sum(gigwire_presence_watched)',
        'frames a second': `sum(rate(gigwire_presence_frames_total${EVERY}))`,
      },
    },
  ],
  'The process': [
    { title: 'CPU', says: 'Cores in use.', draws: { '{{instance}}': rate('process_cpu_seconds_total') } },
    {
      title: 'Memory',
      says: 'Resident.',
      unit: 'bytes',
      draws: { '{{instance}}': total('process_resident_memory_bytes') },
    },
    {
      title: 'Memory per socket',
      says: 'All of the process divided by its sockets: true only where there are many.',
      unit: 'bytes',
      draws: {
        '{{instance}}': `${total('process_resident_memory_bytes')} / (${total('gigwire_ws_connections')} > 1000)`,
      },
    },
    {
      title: 'Event loop delay',
      says: '99th percentile since the start.',
      unit: 's',
      draws: { '{{instance}}': total('nodejs_eventloop_delay_p99_seconds') },
    },
  ],
}

export const dashboard = dashboardOf('gigwire-realtime', 'Gigwire: realtime', ROWS)
export const DASHBOARD_FILE = new URL('./realtime.json', import.meta.url)

if (import.meta.main) write(DASHBOARD_FILE, dashboard)
