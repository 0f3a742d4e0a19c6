import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compilePattern, PatternError } from './pattern.ts'
import { plainExpression } from './plain.ts'
import type { PatternOptions } from './pattern.ts'

const matches = (source: string, text: string, options?: PatternOptions): boolean =>
  compilePattern(source, options).test(text)

describe('compilePattern', () => {
  // A backtracking engine needs more than 2^30 steps for each of these.
  for (const [source, text] of [
    ['^(a+)+$', `${'a'.repeat(30_000)}b`],
    ['(x+x+)+y', 'x'.repeat(30_000)],
    ['^(?:.*,){11}P', 'a,'.repeat(10_000)],
    ['(?:a?){30}a{30}$', 'a'.repeat(29)],
    ['^(?:a|a)*$', `${'a'.repeat(30_000)}b`],
    ['(?i)^([a-z]|[a-z0-9])+@$', 'a'.repeat(30_000)],
  ] as const) {
    it(`takes linear time for ${source}`, () => assert.equal(matches(source, text), false))
  }

  // [pattern, texts that match, texts that do not], as with Java's find.
  for (const [source, yes, no] of [
    ['orders-.*', ['orders-eu', 'x orders-'], ['order']],
    ['^orders\\.(eu|us)\\.v[0-9]{1,2}$', ['orders.eu.v1'], ['ordersXeu.v1', 'orders.eu.v123']],
    ['(?<region>eu|us)-(?<n>\\d+)', ['eu-1'], ['eu-']],
    ['(?i)abc(?-i)D', ['ABCD', 'abcD'], ['abcd']],
    ['(?i:a)b', ['Ab'], ['AB']],
    ['(?u)(?iu)ä', ['Ä'], ['a']],
    ['a+?b*?c??', ['a'], ['b']],
    ['\\Qa.b[\\E+$', ['a.b[[['], ['aXb[']],
    ['^\\x41\\u0042\\x{43}\\cJ\\e\\0\\t$', ['ABC\n\u001b\0\t'], ['ABC']],
    ['^\\uD83D\\uDE00.$', ['😀😀'], ['😀']],
    ['^\\p{Alpha}\\p{Punct}[\\p{Digit}_]\\P{Upper}$', ['a!1x', 'z-_é'], ['a!1X', '1!1x']],
    ['^\\p{L}\\p{Lu}\\pN\\p{IsGreek}\\p{script=Latin}$', ['éÉ5αb'], ['é']],
    ['^[\\w-.]+\\s[^\\s"]\\S$', ['a-b. xy', 'a\u000bxy'], ['a "y']],
    ['^[&\\[\\]^\\-]+$', ['&[]^-'], ['a']],
    ['^{"type":"ping"}$', ['{"type":"ping"}'], ['{"type":"pong"}']],
    ['^a$|^b', ['a', 'bc'], ['ab']],
    ['(^a|b$)', ['ax', 'xb'], ['xax']],
    ['^(?m)b$', ['b'], ['a']],
    ['\\Aab\\b.*\\z', ['ab c'], ['abc']],
    ['^\\$$', ['$'], ['\\']],
    ['^(?:a|ab)$', ['a', 'ab'], ['abc']],
    ['\\é\\/\\-', ['é/-'], ['e/-']],
  ] as const) {
    it(`reads ${source}`, () => {
      for (const text of yes) assert.equal(matches(source, text), true, text)
      for (const text of no) assert.equal(matches(source, text), false, text)
    })
  }

  // Both engines must agree, whichever is taken: a pattern with a{1} behind it is not plain.
  const parts = ['a', 'K', '[^b-d]', '[Z. ]', '(?:b|cd)', '(c|)', '^', '$', '\\.', '?', '|', '{', '}', '\\d', '-', ']']
  const texts = ['', 'a', 'ab', 'k', '\u212a', 'K.', 'cd', 'b-', 'a\n', '7', '{a}', ']', 'ſ', '😀', 'Za', 'xaKb7.']
  it('finds plain expressions as all others', () => {
    for (const [i, j, k] of parts.flatMap((_, i) => parts.flatMap((_, j) => parts.map((_, k) => [i, j, k] as const)))) {
      const source = `${parts[i]}${parts[j]}${parts[k]}`
      if ((i + j + k) % 5 !== 0 || plainExpression(source, '') === null) continue
      for (const flags of ['', 'i']) {
        const [plain, other] = [compilePattern(source, { flags }), compilePattern(`(?:${source}){1}`, { flags })]
        for (const text of texts) assert.equal(plain.test(text), other.test(text), `/${source}/${flags} ${text}`)
      }
    }
  })

  it('asks for the whole text', () => {
    for (const text of ['a', 'ab']) assert.equal(matches('a|ab', text, { whole: true }), true)
    for (const text of ['xa', 'abx', 'a\n', '']) assert.equal(matches('a|ab', text, { whole: true }), false)
  })

  it('refuses brackets that would let a part of the text match after all', () => {
    for (const source of ['a)|(?:b', ')|(', 'a)|(b']) {
      assert.throws(() => compilePattern(source, { whole: true }), { name: 'PatternError' }, source)
    }
  })

  it('takes flags', () => {
    assert.equal(matches('^B$', 'a\nb', { flags: 'im' }), true)
    assert.equal(matches('^B$', 'a\nb', { flags: 'i' }), false)
    assert.equal(matches('a.b', 'a\nb', { flags: 's' }), true)
    assert.equal(matches('a.b', 'a\nb'), false)
  })

  for (const [source, why] of [
    ['(a)\\1', /^\\1 in the regular expression refers back to a group, .*; repeat the expression/],
    ['(?<n>a)\\k<n>', /^\\k in the regular expression refers back/],
    ['a(?=b)', /^\(\?= in the regular expression looks around, .*match the text itself/],
    ['(?!\\.)', /^\(\?! in/],
    ['(?<=a)b', /^\(\?<= in/],
    ['(?<!a)b', /^\(\?<! in/],
    ['(?>a+)b', /^\(\?> in the regular expression keeps what it matched/],
    ['a++b', /^\+\+ in the regular expression keeps what it matched, .*use a plain quantifier/],
    ['a{1,3}+b', /^\{1,3\}\+ in/],
    ['[a-z&&[^x]]', /^&& in the regular expression cuts classes in Java alone/],
    ['[a[b]]', /^\[ inside of/],
    ['[]a]', /^\[\] in/],
    ['[^]', /^\[\^\] in/],
    ['(?x)a', /^\(\?x\) in the regular expression is no group/],
    ['\\Z', /^\\Z in the regular expression is not among the escapes/],
    ['\\p{', /^\\p in the regular expression names no class/],
    ['\\p{constructor}', /^the regular expression cannot be read: /],
    ['a\\', /^\\ in the regular expression at the end/],
    ['[ab', /^\[ in the regular expression begins a class that does not end/],
    ['(', /^the regular expression cannot be read: missing closing \)/],
    ['a)', /^the regular expression cannot be read: /],
    ['*', /^the regular expression cannot be read: missing argument to repetition operator/],
    ['a{1001}', /^the regular expression cannot be read: invalid repeat count/],
    ['a{500}b{500}', /^the regular expression takes 1\d\d\d instructions, of which 600 are allowed/],
    ['a'.repeat(1001), /^the regular expression has 1001 characters, of which 1000 are allowed/],
    ['('.repeat(400) + 'a+' + ')'.repeat(400), /^the regular expression takes /],
  ] as const) {
    it(`refuses ${source.slice(0, 20)}`, () => {
      assert.throws(
        () => compilePattern(source),
        (error) => error instanceof PatternError && why.test(error.message),
      )
    })
  }

  it('refuses a text that would take too long', () => {
    const pattern = compilePattern('[ab].{400}[cd]$')
    assert.ok(pattern.maxLength >= 4_000_000 / 600)
    assert.equal(pattern.test('a'.repeat(pattern.maxLength)), false)
    assert.throws(
      () => pattern.test('a'.repeat(pattern.maxLength + 1)),
      /^PatternError: a text of \d+ characters is too long for/,
    )
  })
})
