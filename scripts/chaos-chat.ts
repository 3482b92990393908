// npm run chaos:chat: real processes and clients, harm from a seed, and a judge who counts what was lost, doubled, reordered or
// missed. `--all` also switches the two guarantees off, one after the other, and expects the judge to see it.
import { parseArgs } from 'node:util'
import { isClean } from '../test/chaos/checker.ts'
import { natsProgram } from '../test/chaos/cluster.ts'
import { HARMS, type HarmName } from '../test/chaos/nemeses.ts'
import { report, run, type Outcome, type RunOptions } from '../test/chaos/run.ts'

const HELP = `npm run chaos:chat [-- --seed N] [--seconds N] [--mutant fencing|resume] [--all] [--strict]
Two gateways, two chat nodes and one that comes and goes over a real nats-server (without one: a single process), 50
conversations, 100 clients over a proxy that cuts. Harm comes from the seed. Exit code 0: every promise held, or, with
--mutant, the judge saw that the guarantee was off. --all: the run, then both mutants. --strict: a connected client must
also learn of the last message without asking.`

const FULL = { gateways: 2, chats: 2, people: 20, devicesEach: 5, conversations: 50, thinkMs: 2500, resumes: true }
const SMALL = { gateways: 1, chats: 2, people: 6, devicesEach: 2, conversations: 12, thinkMs: 150, resumes: true }
/** Starting and catching up come on top, and with --all twice a mutant: three minutes. */
const FULL_SECONDS = 90
const MUTANT_SECONDS = 15
const SEEDS = 1_000_000
const IN_ONE_PROCESS: readonly HarmName[] = [
  'kill gateway',
  'rolling restart',
  'cut links',
  'swallow links',
  'stop reading',
]

type Kind = 'all' | 'fencing' | 'resume'
type Plan = Omit<RunOptions, 'seed' | 'log'> & {
  /** What the outcome must be for the run to have shown what it is for. */
  holds(outcome: Outcome): string[]
}

const plan = (kind: Kind, seconds: number | undefined, isStrict: boolean): Plan => {
  const hasNats = natsProgram() !== undefined
  if (kind === 'fencing')
    return {
      ...SMALL,
      harms: ['join and leave'],
      seconds: seconds ?? MUTANT_SECONDS,
      mutant: 'fencing',
      holds: ({ verdict, changed }) => [
        ...(changed < SMALL.chats ? ['the chat nodes did not run changed source'] : []),
        ...(verdict.counts.doubled === 0 ? ['two messages under one number were not seen'] : []),
      ],
    }
  if (kind === 'resume')
    return {
      ...SMALL,
      harms: ['cut links'],
      seconds: seconds ?? MUTANT_SECONDS,
      resumes: false,
      holds: ({ verdict }) => (verdict.counts.gaps === 0 ? ['no gap was seen'] : []),
    }
  return {
    ...FULL,
    harms: hasNats ? HARMS : IN_ONE_PROCESS,
    seconds: seconds ?? FULL_SECONDS,
    holds: ({ verdict, harmed, untold }) => [
      ...(isStrict && untold > 0 ? [`${untold} messages were not told to who was connected`] : []),
      ...(isClean(verdict) ? [] : ['promises were broken']),
      ...(verdict.counts.acknowledged === 0 ? ['nothing was acknowledged'] : []),
      ...[...harmed].flatMap(([name, count]) => (count === 0 ? [`no "${name}" happened`] : [])),
    ],
  }
}

type Asked = { seed: number; seconds: number | undefined; isStrict: boolean }

const show = async (kind: Kind, { seed, seconds, isStrict }: Asked): Promise<boolean> => {
  const { holds, ...options } = plan(kind, seconds, isStrict)
  console.log(`seed ${seed}, harm for ${options.seconds} s${kind === 'all' ? '' : `, ${kind} switched off`}`)
  const outcome = await run({ ...options, seed, log: console.log })
  console.log(report(outcome))
  const wrong = holds(outcome)
  console.log(wrong.length === 0 ? 'ok\n' : `FAIL: ${wrong.join('; ')}`)
  if (wrong.length > 0) console.log(`again: npm run chaos:chat -- ${replay(kind, seed, options.seconds)}`)
  return wrong.length === 0
}

const replay = (kind: Kind, seed: number, seconds: number) =>
  `--seed ${seed} --seconds ${seconds}${kind === 'all' ? '' : ` --mutant ${kind}`}`

const main = async (): Promise<number> => {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      seconds: { type: 'string' },
      mutant: { type: 'string' },
      all: { type: 'boolean', default: false },
      strict: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const { mutant } = values
  if (values.help || (mutant !== undefined && mutant !== 'fencing' && mutant !== 'resume')) {
    console.log(HELP)
    return values.help ? 0 : 2
  }
  const seed = Number(values.seed ?? Math.floor(Math.random() * SEEDS))
  const given = values.seconds === undefined ? undefined : Number(values.seconds)
  const kinds: Kind[] = values.all ? ['all', 'fencing', 'resume'] : [mutant ?? 'all']
  let isFine = true
  for (const kind of kinds) {
    if (kind === 'fencing' && !natsProgram())
      console.log('fencing takes two nodes, and those take nats-server: not shown')
    else {
      const seconds = values.all && kind !== 'all' ? undefined : given
      isFine = (await show(kind, { seed, seconds, isStrict: values.strict })) && isFine
    }
  }
  return isFine ? 0 : 1
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
process.exitCode = await main()
