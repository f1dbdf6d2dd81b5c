import { describe, expect, test } from 'vitest';
import { criticalPath, dependantsOf, sortByDependency } from '../../src/model/graph.ts';
import { claimed, task } from '../support/boards.ts';

/** `b<a,c` needs a and c. */
const nodes = (text: string) =>
  text
    .split(' ')
    .filter(Boolean)
    .map((node) => {
      const [id = '', needs] = node.split('<');
      return { id, dependencies: needs?.split(',') ?? [] };
    });

describe('the order', () => {
  test.each([
    ['', []],
    ['a b c', ['a', 'b', 'c']],
    ['c<b b<a a', ['a', 'b', 'c']],
    ['d<b,c b<a c<a a e', ['a', 'e', 'b', 'c', 'd']],
    ['b<a,a a', ['a', 'b']],
    ['b<elsewhere a', ['b', 'a']],
  ])('%s', (text, order) => {
    const sorted = sortByDependency(nodes(text));
    expect(sorted.order.map(({ id }) => id)).toEqual(order);
    expect(sorted.cycle).toBeUndefined();
  });

  test.each([
    ['a<a', ['a', 'a']],
    ['a<b b<a', ['a', 'b', 'a']],
    ['x a<b b<c c<a,x', ['a', 'b', 'c', 'a']],
    ['d<a a<elsewhere,b b<x,a x', ['a', 'b', 'a']],
  ])('%s goes in a circle: %j', (text, cycle) => {
    expect(sortByDependency(nodes(text)).cycle).toEqual(cycle);
  });

  test('what stands outside a circle is in order all the same', () => {
    expect(sortByDependency(nodes('y<x a<b b<a x')).order.map(({ id }) => id)).toEqual(['x', 'y']);
  });
});

test.each([
  ['a', ['d', 'b', 'c']],
  ['b', ['c']],
  ['d', []],
  ['e', ['b', 'c']],
  ['elsewhere', ['e', 'b', 'c']],
])('for %s wait %j, in an order in which they can be done', (id, waiting) => {
  const found = dependantsOf(nodes('c<b a b<a,e d<a e<elsewhere'), [id]);
  expect(found.map((node) => node.id)).toEqual(waiting);
});

test('several ids are never among those that wait for them', () => {
  expect(dependantsOf(nodes('a b<a c<b'), ['a', 'b']).map(({ id }) => id)).toEqual(['c']);
});

describe('the critical path', () => {
  const path = (...tasks: ReturnType<typeof task>[]) => criticalPath(tasks).map(({ id }) => id);
  const needs = (...dependencies: string[]) => ({ dependencies });

  test.each([
    ['no task, no path', [], []],
    ['the first of equals', [task('a'), task('b')], ['a']],
    ['the longest chain', [task('a'), task('b'), task('c', needs('b')), task('d', needs('c'))], ['b', 'c', 'd']],
    [
      'the longer of two ways',
      [task('a'), task('b', needs('a')), task('c', needs('a', 'b')), task('d', needs('c', 'a'))],
      ['a', 'b', 'c', 'd'],
    ],
    [
      'what is settled takes no time any more',
      [task('a', { status: 'done' }), task('b', needs('a')), task('c'), claimed('d', 'w', needs('c'))],
      ['c', 'd'],
    ],
    ['all settled', [task('a', { status: 'failed' }), task('b', { status: 'cancelled' })], []],
    ['of two equal ways the first', [task('a'), task('b'), task('c', needs('a', 'b'))], ['a', 'c']],
  ])('%s', (_, tasks, expected) => {
    expect(path(...tasks)).toEqual(expected);
  });
});
