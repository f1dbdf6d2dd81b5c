/** The log of commits on a real disk, with other processes played by the test: a name is made once, or not at all. */
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { CoordError } from '../../../src/model/errors.ts';
import { DIGESTS } from '../../../src/store/file/commit-digests.ts';
import { type Appended, CommitLog, type LogOptions, type Revision } from '../../../src/store/file/commit-log.ts';
import { commitOf, isChildOf, nameOf, nextCommit, revisionOf } from '../../../src/store/commit-id.ts';
import { scratchName } from '../../../src/store/file/scratch.ts';
import { digest } from '../../../src/store/digest.ts';
import { NOW } from '../../support/boards.ts';
import { holdTime, pass } from '../../support/time.ts';

/** The documents of this log. */
interface Doc {
  revision: number;
  commit: string;
  text: string;
}

const INC = 'abcdefgh1234';
const OTHER = 'zyxwvuts9876';
const doc = (revision: number, commit = `${INC}.p${revision - 1}.p${revision}`, text = ''): Doc => ({
  revision,
  commit,
  text,
});
const bytesOf = (one: Doc): Buffer => Buffer.from(JSON.stringify(one, null, 2));

function parse(bytes: Buffer, revision: number): { value: Doc } | 'torn' | { fault: string } {
  let document: unknown;
  try {
    document = JSON.parse(bytes.toString());
  } catch {
    return 'torn';
  }
  if (typeof document === 'object' && document !== null && 'version' in document)
    throw new CoordError('version-unsupported', 'newer');
  const value = document as Doc; // looked at field by field below
  return value.revision === revision && typeof value.text === 'string' ? { value } : { fault: 'it is foreign' };
}

/** A log in a folder of its own, and what may be done to it behind its back. */
class Place {
  readonly dir = realpathSync(mkdtempSync(join(tmpdir(), 'coord-log-')));
  readonly home = join(this.dir, 'log');
  readonly tmp: string;
  readonly rejected = join(this.dir, 'rejected');
  /** The folder of the log's only incarnation. */
  readonly folder = join(this.home, INC);
  readonly notices: string[] = [];
  readonly log: CommitLog<Doc>;
  readonly #options: LogOptions<Doc>;

  constructor(options: Partial<LogOptions<Doc>> = {}) {
    onTestFinished(() => rmSync(this.dir, { recursive: true, force: true }));
    this.tmp = options.tmp ?? join(this.dir, 'tmp');
    mkdirSync(this.tmp, { recursive: true });
    this.#options = {
      tmp: this.tmp,
      rejected: this.rejected,
      durable: false,
      canLink: true,
      parse,
      notice: (message) => void this.notices.push(message),
      ...options,
    };
    this.log = this.another();
  }

  /** What another process sees. */
  another(): CommitLog<Doc> {
    return new CommitLog(this.home, this.#options);
  }

  append(
    base: Revision<Doc> | undefined,
    one: Doc,
    at: (point: 'written' | 'linked') => void = () => {},
    log = this.log,
  ): Appended {
    const bytes = bytesOf(one);
    const chunks = [bytes.subarray(0, 9), bytes.subarray(9)];
    return log.append(base, { revision: one.revision, commit: one.commit, chunks }, at);
  }

  /** A log with so many revisions; answers with the newest. */
  async filled(count: number): Promise<Revision<Doc>> {
    let head = await this.log.head();
    for (let revision = 1; revision <= count; revision++) {
      expect(this.append(head, doc(revision))).toBe('committed');
      head = await this.log.head();
    }
    return there(head);
  }

  /** Puts a revision there, as another process does. */
  put(revision: number, content: string | Buffer = bytesOf(doc(revision)), folder = this.folder): string {
    mkdirSync(folder, { recursive: true });
    const path = join(folder, nameOf(revision));
    writeFileSync(path, content);
    return path;
  }

  /** The same as where there are no links. */
  putFolder(revision: number, content: string | Buffer = bytesOf(doc(revision))): string {
    const path = join(this.folder, nameOf(revision));
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'document'), content);
    return path;
  }

  names(): string[] {
    return readdirSync(this.folder).toSorted();
  }

  /** The one thing that is under construction. */
  scratch(): string {
    const [name = '', ...others] = readdirSync(this.tmp);
    expect(others).toEqual([]);
    return join(this.tmp, name);
  }
}

/** A hook for one of the points. */
const when =
  (point: 'written' | 'linked', change: () => void) =>
  (reached: 'written' | 'linked'): void => {
    if (reached === point) change();
  };

function there<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('it is not there');
  return value;
}

function thrown(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('the ids of commits', () => {
  test('a name has at least eight digits', () => {
    expect([1, 42, 99_999_999, 100_000_000].map(nameOf)).toEqual([
      '00000001.json',
      '00000042.json',
      '99999999.json',
      '100000000.json',
    ]);
  });

  test('an id begins with the incarnation and the id of what it was made from', () => {
    expect(nextCommit('inc.parent.mine')).toMatch(/^inc\.mine\.[0-9a-z]{12}$/);
    expect(nextCommit('inc')).toMatch(/^inc\.0\.[0-9a-z]{12}$/);
    expect(nextCommit(undefined)).toMatch(/^[0-9a-z]{12}\.0\.[0-9a-z]{12}$/);
  });

  test('an id is another one each time', () => {
    expect(new Set(Array.from({ length: 100 }, () => nextCommit('a.b.c'))).size).toBe(100);
  });

  test('an id is as long whatever is drawn', () => {
    const draw = vi.spyOn(Math, 'random').mockReturnValue(0.5);
    onTestFinished(() => draw.mockRestore());
    expect(nextCommit('a.b.c')).toBe('a.c.i00000i00000');
    draw.mockReturnValue(0.123_456_789_012_345);
    expect(nextCommit('a.b.c')).toBe('a.c.4fzzzx4fzzzx');
  });

  test('what was made from a base is its child, in the same incarnation only', () => {
    const base = 'inc.p.mine';
    expect(isChildOf(nextCommit(base), base)).toBe(true);
    expect(isChildOf(base, nextCommit(base))).toBe(false);
    expect(isChildOf(base, base)).toBe(false);
    expect(isChildOf('inc.p.other', base)).toBe(false);
    expect(isChildOf('other.mine.x', base)).toBe(false);
  });

  test('where an id is missing, or lacks a part, nothing is the child of anything', () => {
    expect(isChildOf(undefined, undefined)).toBe(false);
    expect(isChildOf(undefined, 'a.b.c')).toBe(false);
    expect(isChildOf('a.b.c', undefined)).toBe(false);
    expect(isChildOf('a', 'a')).toBe(false);
    expect(isChildOf('a', 'a.b')).toBe(false);
    expect(isChildOf('a.c', 'a.b')).toBe(false);
  });

  test.each<[text: string, commit: string | undefined]>([
    ['{"commit":"a.b.c"}', 'a.b.c'],
    ['{"commit":  "a.b.c"}', 'a.b.c'],
    ['{\n  "revision": 3,\n  "commit": "a1.b2.c3",', 'a1.b2.c3'],
    [`{"commit": "${'x'.repeat(100)}"}`, 'x'.repeat(100)],
    [`{"commit": "${'x'.repeat(101)}"}`, undefined],
    ['{"commit": ""}', undefined],
    ['{"commit": "A.b.c"}', undefined],
    ['{"commit": "a-b"}', undefined],
    ['{"commit": 5}', undefined],
    ['{"commit": "a.b', undefined],
    ['', undefined],
    [`${' '.repeat(4096 - 14)}"commit":"abc"`, 'abc'],
    [`${' '.repeat(4096 - 13)}"commit":"abc"`, undefined],
  ])('the commit id in %j is %j', (text, commit) => {
    expect(commitOf(Buffer.from(text))).toBe(commit);
  });

  test.each<[text: string, revision: number | undefined]>([
    ['{"revision":7}', 7],
    ['{"revision":   1234,', 1234],
    ['{\n  "revision": 0\n}', 0],
    [`{"revision": ${'9'.repeat(15)}}`, 999_999_999_999_999],
    [`{"revision": ${'9'.repeat(16)}}`, undefined],
    ['{"revision": -1}', undefined],
    ['{"revision": "7"}', undefined],
    ['{"revision": 7x}', undefined],
    ['{"revision": }', undefined],
    ['', undefined],
    [`${' '.repeat(4096 - 12)}"revision":7}`, 7],
    [`${' '.repeat(4096 - 11)}"revision":7}`, undefined],
  ])('the revision in %j is %j', (text, revision) => {
    expect(revisionOf(Buffer.from(text))).toBe(revision);
  });
});

describe('an empty log', () => {
  test('has no folder, no head and no revision', async () => {
    const { log } = new Place();
    expect(log.folder()).toBeUndefined();
    expect(log.latest()).toBeUndefined();
    expect(log.revisions(undefined)).toEqual([]);
    expect(await log.head()).toBeUndefined();
  });

  test.each([true, false])(
    'begins with the folder and the first revision in one step (durable: %s)',
    async (durable) => {
      const place = new Place({ durable });
      const points: string[] = [];
      const result = place.append(undefined, doc(1), (point) => {
        points.push(point);
        expect(existsSync(place.home)).toBe(point === 'linked');
      });
      expect(result).toBe('committed');
      expect(points).toEqual(['written', 'linked']);
      expect(place.log.folder()).toBe(place.folder);
      expect(place.names()).toEqual(['00000001.json']);
      expect(await place.log.head()).toEqual({
        folder: place.folder,
        revision: 1,
        bytes: bytesOf(doc(1)),
        value: doc(1),
      });
      expect(readdirSync(place.tmp)).toEqual([]);
    },
  );

  test('takes the place of an empty folder', () => {
    const place = new Place();
    mkdirSync(place.home);
    expect(place.append(undefined, doc(1))).toBe('committed');
    expect(place.names()).toEqual(['00000001.json']);
  });

  test('has the modes that it is given, and those of everything else without', () => {
    const modes = (place: Place): number[] =>
      [place.home, place.folder, join(place.folder, nameOf(1))].map((path) => statSync(path).mode & 0o777);
    const secret = new Place({ mode: 0o600 });
    secret.append(undefined, doc(1));
    expect(modes(secret)).toEqual([0o700, 0o700, 0o600]);
    const open = new Place();
    open.append(undefined, doc(1));
    mkdirSync(join(open.dir, 'plain'));
    writeFileSync(join(open.dir, 'plain', 'file'), '');
    const plain = statSync(join(open.dir, 'plain')).mode & 0o777;
    expect(modes(open)).toEqual([plain, plain, statSync(join(open.dir, 'plain', 'file')).mode & 0o777]);
  });

  test.each(['an incarnation', 'a board of 0.1'])('is lost to another process that begins it first: %s', (kind) => {
    const place = new Place();
    const result = place.append(
      undefined,
      doc(1),
      when(
        'written',
        () => void place.put(1, 'theirs', kind === 'an incarnation' ? join(place.home, OTHER) : place.home),
      ),
    );
    expect(result).toBe('lost');
    expect(readdirSync(place.home)).toEqual([kind === 'an incarnation' ? OTHER : nameOf(1)]);
    expect(readdirSync(place.tmp)).toEqual([]);
  });

  test('is begun where the step was answered with an error and had been carried out', () => {
    const place = new Place();
    const result = place.append(
      undefined,
      doc(1),
      when('written', () => renameSync(place.scratch(), place.home)),
    );
    expect(result).toBe('committed');
    expect(place.names()).toEqual(['00000001.json']);
  });

  test('cannot be begun in the place of a file, and the error says so', () => {
    const place = new Place();
    writeFileSync(place.home, 'mine');
    expect(thrown(() => place.append(undefined, doc(1)))).toMatchObject({ code: 'ENOTDIR' });
    expect(readFileSync(place.home, 'utf8')).toBe('mine');
    expect(readdirSync(place.tmp)).toEqual([]);
  });

  test('cannot be begun where its files are swept meanwhile, though another log is there', () => {
    const place = new Place();
    const result = thrown(() =>
      place.append(
        undefined,
        doc(1),
        when('written', () => {
          rmSync(place.scratch(), { recursive: true });
          place.put(1, 'theirs', join(place.home, OTHER));
        }),
      ),
    );
    expect(result).toMatchObject({ code: 'ENOENT' });
  });

  test('is begun, even if it is deleted right after', () => {
    const place = new Place({ durable: true });
    const deleted = when('linked', () => rmSync(place.home, { recursive: true }));
    expect(place.append(undefined, doc(1), deleted)).toBe('committed');
  });

  test('is in doubt where the folder is gone before the disk has the name', () => {
    const begin = (durable: boolean): unknown => {
      const place = new Place({ durable });
      return thrown(() =>
        place.append(
          undefined,
          doc(1),
          when('linked', () => renameSync(place.dir, `${place.dir}-away`)),
        ),
      );
    };
    const removeAway = (): void => {
      for (const name of readdirSync(tmpdir()))
        if (/^coord-log-.*-away$/.test(name)) rmSync(join(tmpdir(), name), { recursive: true, force: true });
    };
    onTestFinished(removeAway);
    expect(begin(true)).toMatchObject({ code: 'outcome-unknown', details: {}, cause: { code: 'ENOENT' } });
    expect(begin(false)).toBeUndefined();
  });
});

describe('the folder of a log', () => {
  test('is the incarnation with revisions in it, whatever else lies there', () => {
    const place = new Place();
    mkdirSync(join(place.home, '00000000aaaa'), { recursive: true });
    place.put(1);
    mkdirSync(join(place.home, OTHER));
    writeFileSync(join(place.home, 'aaaaaaaabbbb'), 'a file');
    expect(place.log.folder()).toBe(place.folder);
    expect(place.log.latest()).toBe(1);
  });

  test('is an empty incarnation where there is nothing else', () => {
    const place = new Place();
    mkdirSync(place.folder, { recursive: true });
    writeFileSync(join(place.home, '00000001.json'), 'of 0.1?');
    expect(place.log.folder()).toBe(place.folder);
    expect(place.log.latest()).toBeUndefined();
  });

  test.each(['abcdefg', 'x'.repeat(41), 'ABCDEFGH12', 'abcd-efgh-1', '.abcdefgh12', 'abcdefgh12.'])(
    'is the home itself for a board of 0.1, beside a folder of the name %s',
    (name) => {
      const place = new Place();
      place.put(3, bytesOf(doc(3)), join(place.home, name));
      place.put(2, bytesOf(doc(2)), place.home);
      expect(place.log.folder()).toBe(place.home);
      expect(place.log.latest()).toBe(2);
    },
  );

  test.each(['abcdefgh', 'x'.repeat(40), '0123456789'])('may have the name %s', (name) => {
    const place = new Place();
    place.put(3, bytesOf(doc(3)), join(place.home, name));
    expect(place.log.folder()).toBe(join(place.home, name));
  });

  test('is none where a file has the name of an incarnation: then the home is the log', () => {
    const place = new Place();
    mkdirSync(place.home);
    writeFileSync(place.folder, '');
    expect(place.log.folder()).toBe(place.home);
  });

  test('is refused where there are two', async () => {
    const place = new Place();
    place.put(1);
    place.put(1, bytesOf(doc(1)), join(place.home, OTHER));
    const error = thrown(() => place.log.folder());
    expect(error).toMatchObject({ code: 'store-unavailable', details: { why: 'two-logs' } });
    expect(String(error)).toContain(`There are two logs in ${place.home}: `);
    expect(String(error)).toMatch(new RegExp(`: (${INC}, ${OTHER}|${OTHER}, ${INC})\\.`));
    await expect(place.log.head()).rejects.toMatchObject({ code: 'store-unavailable' });
  });

  test('is refused where a link has taken its place', async () => {
    const place = new Place();
    await place.filled(1);
    renameSync(place.folder, join(place.dir, 'elsewhere'));
    symlinkSync(join(place.dir, 'elsewhere'), place.folder);
    const error = thrown(() => place.log.folder());
    expect(error).toMatchObject({ code: 'board-unsafe', details: { path: place.folder } });
    expect(String(error)).toContain('is a link');
  });

  test('stays the one that is known, though a second appears', async () => {
    const place = new Place();
    await place.filled(1);
    place.put(5, bytesOf(doc(5)), join(place.home, OTHER));
    expect(place.log.folder()).toBe(place.folder);
    expect(place.log.latest()).toBe(1);
    expect(thrown(() => place.another().folder())).toMatchObject({ details: { why: 'two-logs' } });
  });

  test('is another one once another log has taken its place', async () => {
    const place = new Place();
    await place.filled(2);
    rmSync(place.home, { recursive: true });
    expect(place.log.folder()).toBeUndefined();
    place.put(1, bytesOf(doc(1, `${OTHER}.0.a`)), join(place.home, OTHER));
    expect(place.log.folder()).toBe(join(place.home, OTHER));
    expect(await place.log.head()).toMatchObject({ revision: 1, value: { commit: `${OTHER}.0.a` } });
  });

  test('holds revisions under their own names only, in the order of their numbers', () => {
    const place = new Place();
    for (const revision of [100_000_000, 3, 99_999_999, 20]) place.put(revision);
    for (const name of [
      '00000000.json',
      '000000001.json',
      '4.json',
      '0000005.json',
      '00000006.json.bak',
      'x00000007.json',
      '0000000a.json',
      '00000008xjson',
      '12345678901234.json',
      'digests',
    ])
      writeFileSync(join(place.folder, name), '{}');
    expect(place.log.revisions(place.folder)).toEqual([3, 20, 99_999_999, 100_000_000]);
    expect(place.log.latest(place.folder)).toBe(100_000_000);
    expect(place.log.latest(join(place.dir, 'nowhere'))).toBeUndefined();
  });

  test('holds a revision as a file, or as a folder with the document in it', () => {
    const place = new Place();
    place.put(1);
    place.putFolder(2);
    expect(place.log.path(place.folder, 1)).toBe(join(place.folder, '00000001.json'));
    expect(place.log.path(place.folder, 2)).toBe(join(place.folder, '00000002.json', 'document'));
    expect(place.log.path(place.folder, 3)).toBe(join(place.folder, '00000003.json'));
  });
});

describe.each([true, false])('an append (links: %s)', (canLink) => {
  test('makes the next revision, whole and under its name', async () => {
    const place = new Place({ canLink, durable: true });
    const base = await place.filled(2);
    const points: string[] = [];
    const result = place.append(base, doc(3), (point) => {
      points.push(point);
      expect(existsSync(join(place.folder, nameOf(3)))).toBe(point === 'linked');
    });
    expect(result).toBe('committed');
    expect(points).toEqual(['written', 'linked']);
    expect(statSync(join(place.folder, nameOf(3))).isDirectory()).toBe(!canLink);
    expect(readFileSync(place.log.path(place.folder, 3))).toEqual(bytesOf(doc(3)));
    expect(await place.another().head()).toMatchObject({ revision: 3, value: doc(3) });
    expect(readdirSync(place.tmp)).toEqual([]);
  });

  test('is lost where the name is taken, before or while the file is written', async () => {
    const place = new Place({ canLink });
    const base = await place.filled(1);
    const other = place.another();
    const theirs = doc(2, `${INC}.p1.theirs`);
    const points: string[] = [];
    const result = place.append(base, doc(2), (point) => {
      points.push(point);
      expect(place.append(base, theirs, () => {}, other)).toBe('committed');
    });
    expect(result).toBe('lost');
    expect(points).toEqual(['written']);
    expect(place.append(base, doc(2))).toBe('lost');
    const head = there(await place.log.head());
    expect(head).toMatchObject({ revision: 2, value: theirs });
    expect(readdirSync(place.tmp)).toEqual([]);
    expect(place.append(head, doc(3))).toBe('committed');
    expect(statSync(join(place.folder, nameOf(3))).isDirectory()).toBe(!canLink);
  });

  test('is lost where something else stands under the name, and leaves it', async () => {
    const place = new Place({ canLink });
    const base = await place.filled(1);
    const name = join(place.folder, nameOf(2));
    mkdirSync(name);
    writeFileSync(join(name, 'theirs'), '');
    expect(place.append(base, doc(2))).toBe('lost');
    rmSync(name, { recursive: true });
    writeFileSync(name, 'no commit id');
    expect(place.append(base, doc(2))).toBe('lost');
    unlinkSync(name);
    symlinkSync(place.dir, name);
    expect(place.append(base, doc(2))).toBe('lost');
    expect(readdirSync(place.tmp)).toEqual([]);
    unlinkSync(name);
    expect(place.append(base, doc(2))).toBe('committed');
    expect(statSync(name).isDirectory()).toBe(!canLink);
    expect(readFileSync(join(place.folder, nameOf(1)))).toEqual(bytesOf(doc(1)));
  });

  test('is lost where its own file was swept meanwhile', async () => {
    const place = new Place({ canLink });
    const base = await place.filled(1);
    const swept = when('written', () => unlinkSync(place.scratch()));
    expect(place.append(base, doc(2), swept)).toBe('lost');
    expect(place.names()).toEqual(['00000001.json']);
    expect(readdirSync(place.tmp)).toEqual([]);
  });

  test('is lost where the whole log was deleted, or begun anew, meanwhile', async () => {
    const place = new Place({ canLink });
    const base = await place.filled(1);
    const remove = (): void => rmSync(place.home, { recursive: true });
    expect(place.append(base, doc(2), when('written', remove))).toBe('lost');
    const anew = when('written', () => void place.put(1, bytesOf(doc(1, 'new.0.log')), join(place.home, OTHER)));
    expect(place.append(base, doc(2), anew)).toBe('lost');
    expect(readdirSync(place.home)).toEqual([OTHER]);
  });

  test('is lost where the base is another document by now, however long the two are', async () => {
    const place = new Place({ canLink });
    const base = await place.filled(1);
    const bytes = bytesOf(doc(2, `${INC}.p1.p2`, 'x'.repeat(10_000)));
    expect(place.append(base, doc(2, `${INC}.p1.p2`, 'x'.repeat(10_000)))).toBe('committed');
    const head = there(await place.log.head());
    expect(place.append(head, doc(3))).toBe('committed');
    rmSync(join(place.folder, nameOf(2)), { recursive: true });
    rmSync(join(place.folder, nameOf(3)), { recursive: true });
    place.put(2, Buffer.concat([bytes.subarray(0, 4000), Buffer.from('y'), bytes.subarray(4001)]));
    expect(place.append(head, doc(3))).toBe('lost');
    expect(place.log.revisions(place.folder)).toEqual([1, 2]);
  });

  test('is unsure where the base was trimmed before the name was made, and takes the name back', async () => {
    const place = new Place({ canLink });
    const base = await place.filled(1);
    const trimmed = when('linked', () => {
      place.put(9);
      rmSync(join(place.folder, nameOf(1)), { recursive: true });
    });
    expect(place.append(base, doc(2), trimmed)).toBe('unsure');
    expect(place.log.revisions(place.folder)).toEqual([9]);
    expect(readdirSync(place.tmp)).toEqual([]);
  });

  test('stands where it was answered with an error and had been carried out', async () => {
    const place = new Place({ canLink });
    const base = await place.filled(1);
    const done = when('written', () => {
      if (canLink) return linkSync(place.scratch(), join(place.folder, nameOf(2)));
      const temp = readFileSync(place.scratch());
      place.putFolder(2, temp);
    });
    expect(place.append(base, doc(2), done)).toBe('committed');
    expect(await place.log.head()).toMatchObject({ revision: 2, value: doc(2) });
    expect(readdirSync(place.tmp)).toEqual([]);
  });

  test('to an empty log needs no base', async () => {
    const place = new Place({ canLink, durable: true });
    mkdirSync(place.folder, { recursive: true });
    expect(place.append(undefined, doc(1))).toBe('committed');
    expect(await place.log.head()).toMatchObject({ revision: 1, value: doc(1) });
  });

  test('is lost where a file has taken the place of the folder', () => {
    const place = new Place({ canLink });
    mkdirSync(place.folder, { recursive: true });
    const taken = when('written', () => {
      rmdirSync(place.folder);
      writeFileSync(place.folder, '');
    });
    expect(place.append(undefined, doc(1), taken)).toBe('lost');
    expect(readdirSync(place.tmp)).toEqual([]);
  });

  test('has an unknown outcome where the disk cannot even say what stands under the name', () => {
    const place = new Place({ canLink });
    mkdirSync(place.folder, { recursive: true });
    const circle = when('written', () => {
      rmdirSync(place.folder);
      symlinkSync(place.folder, place.folder); // whoever follows it goes round and round
    });
    const error = thrown(() => place.append(undefined, doc(1), circle));
    expect(error).toMatchObject({ code: 'outcome-unknown', details: {}, cause: { code: 'ELOOP' } });
    expect(String(error)).toMatch(/did not say whether revision 1 was made: ELOOP.*\.$/);
    expect(readdirSync(place.tmp)).toEqual([]);
  });

  test('has an unknown outcome where the folder is gone before the disk has the name', () => {
    const vanish = (durable: boolean): unknown => {
      const place = new Place({ canLink, durable });
      mkdirSync(place.folder, { recursive: true });
      const gone = when('linked', () => rmSync(place.home, { recursive: true }));
      return thrown(() => place.append(undefined, doc(1), gone));
    };
    expect(vanish(true)).toMatchObject({ code: 'outcome-unknown', cause: { code: 'ENOENT' } });
    expect(vanish(false)).toBeUndefined();
  });

  test('throws what was thrown while it was made, and leaves nothing behind', async () => {
    const place = new Place({ canLink });
    const base = await place.filled(1);
    const crash = when('written', () => {
      throw new Error('crash');
    });
    expect(() => place.append(base, doc(2), crash)).toThrow('crash');
    expect(readdirSync(place.tmp)).toEqual([]);
    expect(place.log.revisions(place.folder)).toEqual([1]);
  });
});

describe('where links turn out to be missing', () => {
  test('a revision becomes a folder, and so do those that follow', async () => {
    const place = new Place();
    const base = await place.filled(1);
    const kept = join(place.dir, 'kept');
    const name = join(place.folder, nameOf(2));
    // No folder can be linked, so that the answer is the one of a disk without links; it is renamed as a file would be.
    const result = place.append(base, doc(2), (point) => {
      if (point === 'written') {
        const temp = place.scratch();
        renameSync(temp, kept);
        mkdirSync(temp);
      } else {
        rmdirSync(join(name, 'document'));
        renameSync(kept, join(name, 'document'));
      }
    });
    expect(result).toBe('committed');
    const head = there(await place.log.head());
    expect(head).toMatchObject({ revision: 2, value: doc(2) });
    expect(place.append(head, doc(3))).toBe('committed');
    expect(statSync(join(place.folder, nameOf(3))).isDirectory()).toBe(true);
    expect(statSync(join(place.folder, nameOf(1))).isFile()).toBe(true);
  });

  test('a revision that another process made meanwhile is lost all the same', async () => {
    const place = new Place();
    const base = await place.filled(1);
    const swapped = when('written', () => {
      const temp = place.scratch();
      unlinkSync(temp);
      mkdirSync(temp);
      place.put(2, bytesOf(doc(2, 'a.b.theirs')));
    });
    expect(place.append(base, doc(2), swapped)).toBe('lost');
    expect(await place.log.head()).toMatchObject({ value: { commit: 'a.b.theirs' } });
  });

  test.skipIf(process.platform !== 'linux')('an error that says that nothing was made is told as it is', async () => {
    // So deep that the file under construction has a name just short enough, and the folder around it a name too long.
    const dir = mkdtempSync(join(tmpdir(), 'coord-deep-'));
    onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
    const length = 4091 - (scratchName(dir).length - dir.length); // a path has 4095 characters at most
    let tmp = dir;
    while (tmp.length + 202 < length) tmp = join(tmp, 'x'.repeat(200));
    tmp = join(tmp, 'x'.repeat(length - tmp.length - 1));
    mkdirSync(tmp, { recursive: true });
    const place = new Place({ canLink: false, tmp });
    place.put(1);
    const base = there(await place.log.head());
    const result = thrown(() => place.append(base, doc(2)));
    expect(result).toMatchObject({ code: 'ENAMETOOLONG' });
    expect(place.names()).toEqual(['00000001.json']);
  });
});

describe('the head of a log', () => {
  test('is read once while its file is the same', async () => {
    const place = new Place();
    const head = await place.filled(2);
    expect(await place.log.head()).toBe(head);
    const path = join(place.folder, nameOf(2));
    renameSync(path, `${path}.old`);
    place.put(2, bytesOf(doc(2, 'another.0.log', 'longer')));
    expect(await place.log.head()).toMatchObject({ value: { commit: 'another.0.log' } });
  });

  test('is found by another process, and moves on with it', async () => {
    const place = new Place();
    const base = await place.filled(1);
    const other = place.another();
    expect(await other.head()).toEqual(base);
    place.append(base, doc(2));
    expect(await other.head()).toMatchObject({ revision: 2, folder: place.folder });
    expect(place.notices).toEqual([]);
  });

  const STRANGE: [what: string, why: string, make: (path: string, place: Place) => void][] = [
    ['foreign JSON', 'it is foreign', (path) => writeFileSync(path, '{"mine":1}')],
    ['another revision', 'it is foreign', (path) => writeFileSync(path, bytesOf(doc(9)))],
    ['a link', 'it is no file', (path, place) => symlinkSync(join(place.folder, nameOf(1)), path)],
    ['a link to nothing', 'it is no file', (path) => symlinkSync('nowhere', path)],
    ['an empty folder', 'it is no file', (path) => mkdirSync(path)],
    [
      'a folder with something else in it',
      'it is no file',
      (path) => {
        mkdirSync(path);
        writeFileSync(join(path, 'mine'), '');
      },
    ],
    ['a folder with a folder in it', 'it is no file', (path) => mkdirSync(join(path, 'document'), { recursive: true })],
  ];
  test.each(STRANGE)('is not %s: that is set aside, and said', async (_, why, make) => {
    const place = new Place();
    const base = await place.filled(1);
    make(join(place.folder, nameOf(2)), place);
    expect(await place.log.head()).toEqual(base);
    expect(place.names()).toEqual(['00000001.json']);
    const [name = '', ...others] = readdirSync(place.rejected);
    expect(name).toMatch(/^commit-2-/);
    expect(others).toEqual([]);
    expect(place.notices).toEqual([`Revision 2 is none (${why}). It was put into ${join(place.rejected, name)}.`]);
    expect(readFileSync(join(place.folder, nameOf(1)))).toEqual(bytesOf(doc(1)));
  });

  test('is not read where a newer coord wrote it, and stays', async () => {
    const place = new Place();
    await place.filled(1);
    place.put(2, '{"version":2}');
    await expect(place.log.head()).rejects.toMatchObject({ code: 'version-unsupported' });
    expect(place.names()).toHaveLength(2);
    expect(place.notices).toEqual([]);
  });

  test('is waited for while it is on its way', async () => {
    holdTime(NOW);
    const place = new Place();
    await place.filled(1);
    const bytes = bytesOf(doc(2));
    const path = place.put(2, '');
    let head: Revision<Doc> | undefined;
    void place.log.head().then((found) => (head = found));
    for (const end of [5, 10, 20]) {
      await pass(1900); // it grows each time, and so is in no doubt for long
      expect(head).toBeUndefined();
      writeFileSync(path, bytes.subarray(0, end));
    }
    await pass(1900);
    writeFileSync(path, bytes);
    await pass(19);
    await pass(1);
    expect(head).toMatchObject({ revision: 2, value: doc(2) });
    expect(place.notices).toEqual([]);
  });

  test('is not what was cut short and does not grow for two seconds: that is set aside', async () => {
    holdTime(NOW);
    const place = new Place();
    const base = await place.filled(1);
    place.put(2, bytesOf(doc(2)).subarray(0, 20));
    let head: Revision<Doc> | undefined;
    void place.log.head().then((found) => (head = found));
    await pass(2000);
    expect(head).toBeUndefined();
    expect(place.names()).toHaveLength(2);
    await pass(60);
    expect(head).toEqual(base);
    expect(place.names()).toEqual(['00000001.json']);
    expect(place.notices).toEqual([expect.stringMatching(/^Revision 2 is none \(it is cut short\)/)]);
  });

  test('is none where everything was set aside', async () => {
    const place = new Place();
    place.put(1, '{}');
    place.put(2, '{}');
    expect(await place.log.head()).toBeUndefined();
    expect(readdirSync(place.rejected)).toHaveLength(2);
    expect(place.notices).toHaveLength(2);
  });

  test('is told to nobody where another process has set it aside first', async () => {
    const notices: string[] = [];
    const place = new Place({
      notice: (message) => void notices.push(message),
      parse: (bytes, revision) => {
        const parsed = parse(bytes, revision);
        if (revision === 2) unlinkSync(join(place.folder, nameOf(2)));
        return parsed;
      },
    });
    place.put(1);
    place.put(2, '{}');
    expect(await place.log.head()).toMatchObject({ revision: 1 });
    expect(notices).toEqual([]);
  });
});

describe('an older revision', () => {
  test('is read as long as no name between it and the newest is missing', () => {
    const place = new Place();
    for (const revision of [1, 2, 4, 5]) place.put(revision);
    place.putFolder(6);
    expect([4, 5, 6].map((revision) => place.log.read(place.folder, revision))).toEqual(
      [4, 5, 6].map((revision) => bytesOf(doc(revision))),
    );
    expect([1, 2, 3, 7].map((revision) => place.log.read(place.folder, revision))).toEqual(Array(4).fill(undefined));
    expect(place.log.read(join(place.dir, 'nowhere'), 1)).toBeUndefined();
  });

  test('is found by its commit id, the newest first', () => {
    const place = new Place();
    for (const revision of [1, 2, 3]) place.put(revision);
    mkdirSync(join(place.folder, nameOf(4)));
    place.putFolder(5);
    for (const revision of [1, 3, 5])
      expect(place.log.find(place.folder, doc(revision).commit)).toEqual(bytesOf(doc(revision)));
    expect(place.log.find(place.folder, 'no.such.id')).toBeUndefined();
    place.put(6, bytesOf(doc(6, doc(1).commit)));
    expect(place.log.find(place.folder, doc(1).commit)).toEqual(bytesOf(doc(6, doc(1).commit)));
  });
});

describe('trimming', () => {
  const TRIMS: [size: string, bytes: number, from: number, keep: number][] = [
    ['a small board', 500, 48, 32],
    ['a board of a megabyte', 1_000_000, 48, 32],
    ['a board of two megabytes', 2_000_000, 24, 16],
    ['a board of three megabytes', 3_000_000, 15, 10],
    ['a board of ten megabytes', 10_000_000, 12, 8],
    ['a huge board', 100_000_000, 12, 8],
  ];
  test.each(TRIMS)('%s keeps what it should, and waits until it is worth while', async (_, bytes, from, keep) => {
    const place = new Place();
    for (let revision = 1; revision < from; revision++) place.put(revision);
    await place.log.trim(place.folder, bytes);
    expect(place.names()).toHaveLength(from - 1);
    place.put(from);
    await place.log.trim(place.folder, bytes);
    expect(place.log.revisions(place.folder)).toEqual(Array.from({ length: keep }, (_none, i) => from - keep + 1 + i));
  });

  test('remembers what went, and nothing else', async () => {
    const place = new Place();
    for (let revision = 1; revision <= 20; revision++)
      if (revision % 2 === 0) place.put(revision);
      else place.putFolder(revision);
    const was = (revision: number): Promise<boolean> => place.log.wasTrimmed(place.folder, bytesOf(doc(revision)));
    expect(await was(1)).toBe(false);
    await place.log.trim(place.folder, 100_000_000);
    expect(place.log.revisions(place.folder)).toEqual([13, 14, 15, 16, 17, 18, 19, 20]);
    expect(readFileSync(join(place.folder, DIGESTS), 'utf8')).toBe(
      Array.from({ length: 12 }, (_, i) => `${digest(bytesOf(doc(i + 1)))}\n`).join(''),
    );
    expect(await Promise.all([1, 2, 12, 13, 20].map(was))).toEqual([true, true, true, false, false]);
    expect(readdirSync(place.tmp)).toEqual([]);
  });

  test('removes a folder that is no revision without remembering it', async () => {
    const place = new Place();
    for (let revision = 1; revision <= 12; revision++) place.put(revision);
    const name = join(place.folder, nameOf(2));
    unlinkSync(name);
    mkdirSync(name);
    await place.log.trim(place.folder, 100_000_000);
    expect(place.log.revisions(place.folder)).toEqual([5, 6, 7, 8, 9, 10, 11, 12]);
    expect(readFileSync(join(place.folder, DIGESTS), 'utf8').split('\n')).toHaveLength(3 + 1);
  });

  const lines = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i).padStart(16, '0'));
  const remembered = async (count: number): Promise<string[]> => {
    const place = new Place();
    for (let revision = 1; revision <= 12; revision++) place.put(revision);
    writeFileSync(
      join(place.folder, DIGESTS),
      lines(count)
        .map((line) => `${line}\n`)
        .join(''),
    );
    await place.log.trim(place.folder, 100_000_000);
    expect(readdirSync(place.tmp)).toEqual([]);
    return readFileSync(join(place.folder, DIGESTS), 'utf8').split('\n');
  };
  const fresh = [1, 2, 3, 4].map((revision) => digest(bytesOf(doc(revision))));

  test('adds to what it remembers until that is twice as much as it must be', async () => {
    expect(await remembered(7999)).toEqual([...lines(7999), ...fresh, '']);
  });

  test.each([8000, 9000])('then keeps the newest half of that, of %i', async (count) => {
    expect(await remembered(count)).toEqual([...lines(count).slice(count - 4000), ...fresh, '']);
  });

  test('does not take half a line for a memory', async () => {
    const place = new Place();
    place.put(1);
    writeFileSync(join(place.folder, DIGESTS), digest(bytesOf(doc(1))));
    expect(await place.log.wasTrimmed(place.folder, bytesOf(doc(1)))).toBe(false);
    writeFileSync(join(place.folder, DIGESTS), `${digest(bytesOf(doc(1)))}\n`);
    expect(await place.log.wasTrimmed(place.folder, bytesOf(doc(1)))).toBe(true);
  });
});
