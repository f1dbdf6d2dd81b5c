import { describe, expect, test } from 'vitest';
import { bytesOf, clip, labelled, quoted, startOf, visible, visibleDeep } from '../../src/model/text.ts';

test.each([
  ['short', undefined, 'short'],
  ['  two\n\n lines\t', undefined, 'two lines'],
  ['x'.repeat(60), undefined, 'x'.repeat(60)],
  ['x'.repeat(61), undefined, `${'x'.repeat(59)}…`],
  ['abcdef', 5, 'abcd…'],
  ['abcde', 5, 'abcde'],
  [' abcde ', 5, 'abcde'],
  ['', 5, ''],
])('%j in one line of %s characters: %j', (text, length, line) => {
  expect(clip(text, length)).toBe(line);
});

describe('what nobody could see is written out', () => {
  test.each([
    [0x00, '\\x00'],
    [0x08, '\\x08'],
    [0x0b, '\\x0b'],
    [0x0d, '\\x0d'],
    [0x1b, '\\x1b'],
    [0x1f, '\\x1f'],
    [0x7f, '\\x7f'],
    [0x9f, '\\x9f'],
    [0x61c, '\\x61c'],
    [0x200b, '\\x200b'],
    [0x200e, '\\x200e'],
    [0x200f, '\\x200f'],
    [0x2028, '\\x2028'],
    [0x202e, '\\x202e'],
    [0x2060, '\\x2060'],
    [0x206f, '\\x206f'],
    [0xfeff, '\\xfeff'],
    [0xe0000, '\\xe0000'],
    [0xe0041, '\\xe0041'],
    [0xe01ef, '\\xe01ef'],
  ])('U+%i: %s', (code, written) => {
    expect(visible(`a${String.fromCodePoint(code)}b`)).toBe(`a${written}b`);
  });

  test.each([0x09, 0x0a, 0x20, 0x7e, 0xa0, 0xe9, 0x2010, 0x2027, 0x202f, 0x2070, 0xfefe, 0x1f600, 0xe01f0])(
    'U+%i stays',
    (code) => {
      const text = `a${String.fromCodePoint(code)}b`;
      expect(visible(text)).toBe(text);
    },
  );

  test.each([
    ['a\r\nb\r\n', 'a\nb\n'],
    ['a\rb', 'a\\x0db'],
    ['a\r\r\nb', 'a\\x0d\nb'],
    ['a\r', 'a\\x0d'],
    ['\u0000\n', '\\x00\n'],
  ])('line ends: %j is %j', (text, shown) => {
    expect(visible(text)).toBe(shown);
  });

  test('in every string of a value, however deep, and in nothing else', () => {
    expect(visibleDeep({ a: ['\u001b', 1, null, { b: '\u0007' }], c: true, d: undefined })).toStrictEqual({
      a: ['\\x1b', 1, null, { b: '\\x07' }],
      c: true,
      d: undefined,
    });
    expect(visibleDeep('\u001b')).toBe('\\x1b');
    expect(visibleDeep(null)).toBeNull();
  });
});

describe('fenced', () => {
  test.each([
    ['a', ['> a']],
    ['  a\n\n b \r\n# c\n', ['> a', '>', '>  b ', '> # c']],
    ['', ['>']],
    ['a\u2028b\u001bc', ['> a\\x2028b\\x1bc']],
  ])('%j', (text, lines) => {
    expect(quoted(text)).toEqual(lines);
  });

  test.each([
    ['abcdef', 6, ['> abcdef']],
    ['abcdef', 5, ['> abcde', '… (the rest: there)']],
    ['ab\ncd', 7, ['> ab', '> cd']],
    ['ab\ncd', 6, ['> ab', '> c', '… (the rest: there)']],
    ['ab\ncd', 4, ['> ab', '… (the rest: there)']],
    ['éé', 4, ['> éé']],
    ['éé', 3, ['> é', '… (the rest: there)']],
    ['漢字', 6, ['> 漢字']],
    ['漢字', 5, ['> 漢', '… (the rest: there)']],
    ['😀😀', 8, ['> 😀😀']],
    ['😀😀', 7, ['> 😀', '… (the rest: there)']],
    ['a', 0, ['>', '… (the rest: there)']],
    ['', 0, ['>']],
  ])('%j in %i bytes: %j', (text, most, lines) => {
    expect(quoted(text, most, 'there')).toEqual(lines);
  });

  test('what is cut off without saying where it is', () => {
    expect(quoted('ab', 1)).toEqual(['> a', '… (the rest: )']);
    expect(labelled('L', 'ab', 1)).toEqual(['L:', '> a', '… (the rest: )']);
  });
});

test.each([
  ['one line', undefined, ['L: one line']],
  [' one line\n', undefined, ['L: one line']],
  ['', undefined, ['L: ']],
  ['two\nlines', undefined, ['L:', '> two', '> lines']],
  ['abcdef', 5, ['L:', '> abcde', '… (the rest: there)']],
])('labelled, %j stands where there is room: %s', (text, most, lines) => {
  expect(labelled('L', text, most, 'there')).toEqual(lines);
});

test.each([
  ['abc', 3, 'abc'],
  ['abc', 2, 'ab… (there)'],
  ['a\u001b', 5, 'a\\x1b'],
  ['a\u001b', 4, 'a\\x1… (there)'],
])('the start of %j in %i bytes: %j', (text, most, shown) => {
  expect(startOf(text, most, 'there')).toBe(shown);
});

test.each(['', 'a', '\u007f', '\u0080', 'é', '\u07ff', '\u0800', '漢', '\uffff', '😀', 'aé漢😀'])(
  'bytes are those of UTF-8: %j',
  (text) => {
    expect(bytesOf(text)).toBe(Buffer.byteLength(text));
  },
);
