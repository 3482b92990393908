import test from 'ava'
import fc from 'fast-check'
import cron from 'node-cron'
import { CronError, nextDue } from './cron.ts'

const at = (iso: string) => Date.parse(iso)
const next = (expression: string, after: string) => new Date(nextDue(expression, at(after))!).toISOString()

test('the next time is after now, never now', (t) => {
  t.is(next('0 6 * * *', '2026-03-01T05:59:59.999Z'), '2026-03-01T06:00:00.000Z')
  t.is(next('0 6 * * *', '2026-03-01T06:00:00.000Z'), '2026-03-02T06:00:00.000Z')
  t.is(next('30 23 * * fri', '2026-03-01T00:00:00.000Z'), '2026-03-06T23:30:00.000Z')
  t.is(next('0 0 29 2 *', '2026-03-01T00:00:00.000Z'), '2028-02-29T00:00:00.000Z')
  t.is(next('0 0 13 * 5', '2026-03-01T00:00:00.000Z'), '2026-03-06T00:00:00.000Z')
  t.is(nextDue('0 0 31 2 *', 0), null)
})

test('what is no expression is said so', (t) => {
  for (const wrong of ['* * * *', '61 * * * *', 'a * * * *', '*/0 * * * *', '9-5 * * * *', '* * 0 * *'])
    t.throws(() => nextDue(wrong, 0), { instanceOf: CronError }, wrong)
})

test('node-cron agrees on every due minute and on the minutes between', async (t) => {
  const minute = fc.oneof(
    fc.constant('*'),
    fc.integer({ min: 0, max: 59 }).map(String),
    fc.constantFrom('*/15', '5-50/9', '0,30'),
  )
  const hour = fc.oneof(fc.constant('*'), fc.integer({ min: 0, max: 23 }).map(String), fc.constantFrom('*/6', '8-17'))
  const day = fc.oneof(fc.constant('*'), fc.integer({ min: 1, max: 28 }).map(String))
  const weekday = fc.oneof(fc.constant('*'), fc.constantFrom('1-5', 'sun', '0', '7', '2,4'))
  const tasks: { destroy(): unknown }[] = []
  await fc.assert(
    fc.asyncProperty(
      minute,
      hour,
      day,
      weekday,
      fc.integer({ min: at('2026-01-01T00:00:00Z'), max: at('2029-01-01T00:00:00Z') }),
      async (...parts) => {
        const [minutes, hours, days, weekdays, after] = parts
        // Cron programs differ on two restricted day fields; the one here is the classic either-or.
        const expression = `${minutes} ${hours} ${days} * ${days === '*' ? weekdays : '*'}`
        const task = cron.createTask(expression, () => undefined, { timezone: 'Etc/UTC' })
        tasks.push(task)
        const due = nextDue(expression, after)!
        if (!task.match(new Date(due))) return false
        for (
          let between = Math.floor(after / 60_000 + 1) * 60_000, steps = 0;
          between < due && steps < 100;
          between += 60_000, steps++
        )
          if (task.match(new Date(between))) return false
        return true
      },
    ),
    { numRuns: 60 },
  )
  for (const task of tasks) await task.destroy()
  t.pass()
})
