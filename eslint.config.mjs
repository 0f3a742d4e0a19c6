import nx from '@nx/eslint-plugin'
import { createProjectGraphAsync } from '@nx/devkit'
import { defineConfig } from 'eslint/config'
import tseslint from 'typescript-eslint'
import { boundaries, boundariesOfTests } from './eslint.boundaries.mjs'

// Without a fresh project graph in Nx's cache the boundary rule skips itself with no more than a warning.
process.env.NX_DAEMON ??= 'false'
await createProjectGraphAsync({ exitOnError: false })

/** Calls of node:test whose promise the runner itself owns. */
const ownedByTestRunner = {
  from: 'package',
  package: 'node:test',
  name: ['test', 'it', 'describe', 'suite', 'skip', 'todo'],
}

export default defineConfig(
  { ignores: ['**/node_modules', '**/dist', '**/.nx', '**/.tributary', '**/target'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    plugins: { '@nx': nx },
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@nx/enforce-module-boundaries': boundaries,
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': ['error', { allowForKnownSafeCalls: [ownedByTestRunner] }],
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // An interface that answers with a promise is often implemented by a method that has nothing to wait for.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      // An AbortSignal's reason and what a catch got are thrown on as they are.
      '@typescript-eslint/only-throw-error': 'off',
      'no-throw-literal': 'error',
      '@typescript-eslint/prefer-promise-reject-errors': [
        'error',
        { allowThrowingAny: true, allowThrowingUnknown: true },
      ],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
      'prefer-const': 'error',
      'max-lines': ['error', { max: 400 }],
      'max-lines-per-function': ['error', { max: 80 }],
    },
  },
  {
    files: ['**/*.test.ts', 'test/**/*.ts'],
    rules: {
      '@nx/enforce-module-boundaries': boundariesOfTests,
      '@typescript-eslint/unbound-method': 'off', // What a fixture returns is taken apart.
      'max-lines-per-function': 'off', // A suite is one call.
    },
  },
  {
    // Contract suites: tests that are handed out.
    files: ['libs/testkit/src/**/*.ts'],
    rules: { 'max-lines-per-function': 'off' },
  },
  {
    // The contract alone loads no runtime: only the sub-path `kafka` does.
    files: ['libs/testkit/src/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: '^(@tributary/(?!(?:connect-api|async)$)|[./]+kafka/)',
              message: 'Only libs/testkit/src/kafka may import the runtime, and nothing imports that folder.',
            },
          ],
        },
      ],
    },
  },
  {
    // Programs for the terminal: what they print is their purpose.
    files: ['test/**/*.ts', 'deploy/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
)
