import { expect, test } from 'vitest';
import { isDeeper, isRecord, isSame } from '../../src/model/values.ts';
import { isName } from '../../src/model/limits.ts';

test.each([
  [{}, true],
  [{ a: 1 }, true],
  [[], false],
  [null, false],
  ['a', false],
  [undefined, false],
  [() => 1, false],
])('%j is a record: %s', (value, expected) => {
  expect(isRecord(value)).toBe(expected);
});

test.each([
  [1, 0, false],
  [null, 0, false],
  ['text', 0, false],
  [[], 0, true],
  [{}, 0, true],
  [[], 1, false],
  [[[]], 1, true],
  [[1, { a: [] }], 2, true],
  [[1, { a: 1 }], 2, false],
  [{ a: { b: null } }, 2, false],
])('%j is deeper than %i: %s', (value, levels, expected) => {
  expect(isDeeper(value, levels)).toBe(expected);
});

test.each([
  [1, 1, true],
  [1, 2, false],
  [1, '1', false],
  [null, undefined, false],
  [null, {}, false],
  [{}, null, false],
  [[], {}, false],
  [{}, [], false],
  [[1, 2], [1, 2], true],
  [[1, 2], [2, 1], false],
  [[1], [1, 2], false],
  [[1, 2], [1], false],
  [[[1]], [[1]], true],
  [[{ a: 1 }], [{ a: 2 }], false],
  [{ a: 1, b: 2 }, { b: 2, a: 1 }, true],
  [{ a: 1 }, { a: 1, b: undefined }, true],
  [{ a: 1, b: undefined }, { a: 1 }, true],
  [{ a: 1 }, { a: 1, b: null }, false],
  [{ a: 1, b: 0 }, { a: 1 }, false],
  [{ a: { b: [1] } }, { a: { b: [1] } }, true],
  [{ a: { b: [1] } }, { a: { b: [2] } }, false],
])('%j and %j are the same: %s', (a, b, same) => {
  expect(isSame(a, b)).toBe(same);
});

test.each([
  ['a', true],
  ['', false],
  ['.a', false],
  ['a.b-c_D0', true],
  ['x'.repeat(64), true],
  ['x'.repeat(65), false],
  ['a\n', false],
  [1, false],
  [null, false],
])('%j is a name: %s', (value, expected) => {
  expect(isName(value)).toBe(expected);
});
