/**
 * The only tests that may be skipped: the test's name → why. A skipped test that is not listed fails the run, which
 * prints this table.
 */
export const skips: Readonly<Record<string, string>> = {
  'ends the process of a test file that kept running although its tests were done':
    'Only Linux shows the environment of other processes.',
  'finds and ends a process that a test left behind': 'Only Linux shows the environment of other processes.',
}
