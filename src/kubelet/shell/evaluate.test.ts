// Commands as they are followed: how long they take, how they end, what they leave; and what is not followed.
import { describe, expect, it } from 'vitest'
import { type Course, follow } from './evaluate.ts'

const variables = new Map([
  ['INDEX', '3'],
  ['EMPTY', ''],
  ['WORDS', 'a  b'],
])

function course(argv: readonly string[], files = new Map<string, string>()): Course | undefined {
  const own = {
    read: (path: string) => files.get(path),
    write: (path: string, text: string | undefined) =>
      void (text === undefined ? files.delete(path) : files.set(path, text)),
  }
  return follow(argv, own, (name) => variables.get(name))
}

const script = (text: string): Course | undefined => course(['/bin/sh', '-c', text])

describe('commands that are followed', () => {
  it.each<[string, number, number]>([
    ['exit 3', 0, 3],
    ['sleep 2; exit 1', 2000, 1],
    ['sleep 1m && false', 60_000, 1],
    ['false || sleep 0.5', 500, 0],
    ['! false', 0, 0],
    ['exit 300', 0, 44],
    ['if [ $(expr ${INDEX} % 2) -ne 0 ]; then\n  exit 7\nelse\n  exit 0\nfi', 0, 7],
    ['[[ -r /data/x ]] || exit 5', 0, 5],
    ['touch /data/x; [[ -r /data/x ]] && exit 6', 0, 6],
    ['touch /data/x; rm /data/x; test -e /data/x', 0, 1],
    ['rm /data/none', 0, 1],
    ['rm -f /data/none', 0, 0],
    ['X=$((INDEX * 2 + 1)); exit $X', 0, 7],
    ['exit $(( ($INDEX - 1) / 2 ))', 0, 1],
    ['for i in 1 2 3; do sleep $i; done', 6000, 0],
    ['i=0; while [ $i -lt 4 ]; do sleep 1; i=$((i+1)); done; exit $i', 4000, 4],
    ['[ "$WORDS" = "a  b" ] && [ "${EMPTY:-none}" = none ]', 0, 0],
    ["echo 'a;b' > /data/f; [ \"$(cat /data/f)\" = 'a;b' ]", 0, 0],
    ['echo one > /data/f; echo two >> /data/f; [ "$(cat /data/f)" = "one\ntwo" ]', 0, 0],
    ['cat /data/none 2>/dev/null; exit $?', 0, 1],
    ['exec sleep 3', 3000, 0],
    ['sh -c "exit 4"', 0, 4],
    ['# a comment\n: ; true # another', 0, 0],
  ])('%s', (text, runFor, exitCode) => {
    expect(script(text)).toMatchObject({ runFor, exitCode })
  })

  it('stop at the first failure where they say so', () => {
    expect(course(['sh', '-ec', 'false; sleep 5'])).toMatchObject({ runFor: 0, exitCode: 1 })
    expect(course(['sh', '-ec', 'if false; then true; fi; sleep 5'])).toMatchObject({ runFor: 5000 })
  })

  it.each(['while true; do sleep 2; done', 'sleep infinity', 'sleep 1; while :; do true; done'])(
    'go on for ever: %s',
    (text) => expect(script(text)?.runFor).toBe(Infinity),
  )

  it('leave files when their time has come, and what they print', () => {
    expect(script('echo ok > /data/a; sleep 10; rm -rf /data/a; echo bye')).toEqual({
      runFor: 10_000,
      exitCode: 0,
      changes: [
        { at: 0, path: '/data/a', text: 'ok\n' },
        { at: 10_000, path: '/data/a', text: undefined },
      ],
      output: 'bye\n',
    })
  })
})

describe('commands that are not followed', () => {
  it.each([
    'nginx',
    'sleep 1 & wait',
    'cat < /etc/passwd',
    'echo a | cat',
    'echo `date`',
    'exit $UNKNOWN',
    'while true; do true; done',
    'case x in x) true;; esac',
    'f() { true; }; f',
    'trap "exit 0" TERM; sleep 5',
    'if true; then exit 1',
    'echo "open',
    'exit $((1/0))',
    'X=ab; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do X=$X$X; done',
    'X=\'sh -c "$X"\'; export X; sh -c "$X"',
    `${'{ '.repeat(5000)}true${'; }'.repeat(5000)}`,
    `${'$('.repeat(5000)}`,
    `exit $((${'('.repeat(3000)}1${')'.repeat(3000)}))`,
    `echo ${'x'.repeat(20_000)}`,
  ])('%s', (text) => expect(script(text)).toBeUndefined())
})
