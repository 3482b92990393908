import test from 'ava'
import { ATTEMPTS_MAX, KEY_AGE_MAX_MS, LATER_MS, verdictOn, type ErrorKind, type Tried, type Verdict } from './retry.ts'

const tried = (some: Partial<Tried>): Tried => ({ tries: 1, attempts: 1, ageMs: 0, chance: 1, ...some })
const HOUR_MS = 3_600_000

const rows: [string, ErrorKind, Partial<Tried>, Verdict][] = [
  ['a limited call goes again under its key', 'rate', {}, { action: 'again', afterMs: 1000, state: 'waiting' }],
  ['a limited call waits longer each time', 'rate', { tries: 4 }, { action: 'again', afterMs: 8000, state: 'waiting' }],
  ['but a minute at most', 'rate', { tries: 50 }, { action: 'again', afterMs: 60_000, state: 'waiting' }],
  [
    'what failed together comes back spread',
    'rate',
    { chance: 0 },
    { action: 'again', afterMs: 500, state: 'waiting' },
  ],
  ['a key in use is tried again soon', 'in_use', {}, { action: 'again', afterMs: 500, state: 'unknown' }],
  [
    'a lost answer is asked for under the same key',
    'unknown',
    {},
    { action: 'again', afterMs: 1000, state: 'unknown' },
  ],
  [
    'also after many hours',
    'unknown',
    { tries: 90, ageMs: KEY_AGE_MAX_MS - 1 },
    { action: 'again', afterMs: 900_000, state: 'unknown' },
  ],
  [
    'past 23 hours the key may be forgotten: a new one, once looked up',
    'unknown',
    { tries: 90, ageMs: KEY_AGE_MAX_MS },
    { action: 'renew', afterMs: 0, state: 'unknown' },
  ],
  [
    'what is refused for now comes again in six hours, never under the poisoned key',
    'definitive_later',
    {},
    { action: 'renew', afterMs: LATER_MS, state: 'waiting' },
  ],
  ['but not for ever', 'definitive_later', { attempts: ATTEMPTS_MAX }, { action: 'give_up' }],
  ['what is refused for good is given up at once', 'definitive', {}, { action: 'give_up' }],
  ['our own mistake stops everything', 'bug', {}, { action: 'stop' }],
  ['our own mistake is never retried, however young', 'bug', { ageMs: HOUR_MS }, { action: 'stop' }],
]
for (const [title, kind, some, verdict] of rows) test(title, (t) => t.deepEqual(verdictOn(kind, tried(some)), verdict))
