import { describe, expect, it } from 'vitest';

import {
  parseCalls,
  parseComparison,
  parseCures,
  parseDetail,
  parseFixes,
  parseLines,
  parseTimeline
} from '../answers';
import { ProtocolError } from '../fields';
import { parseMessage } from '../messages';
import { golden } from './golden';

describe('parseMessage', () => {
  it.each([
    'loaded',
    'unloaded',
    'snapshot',
    'update',
    'counts',
    'reply-unknown'
  ])('reads the kernel’s %s in full', name => {
    const message = golden(name);
    delete message.v;
    if (name === 'snapshot') {
      message.entries = [
        { id: 10, avals: 'f32[5]', static: { n: '5' }, apart: ['5'] },
        { id: 11, avals: 'f32[8]', static: { n: '8' }, apart: ['8'] }
      ];
    }
    expect(parseMessage({ v: 1, ...golden(name) })).toMatchObject(message);
  });

  it.each(
    golden('bad') as { why: string; newer?: boolean; message: unknown }[]
  )('refuses what is no message: $why', ({ message, newer }) => {
    let caught: unknown;
    try {
      parseMessage(message);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(ProtocolError);
    expect((caught as ProtocolError).newer).toBe(newer ?? false);
  });

  it('reads a message that has more fields than it knows', () => {
    const message = { ...golden('update'), later: 'a field of tomorrow' };
    expect(parseMessage(message)).toMatchObject({ t: 'update', seq: 1 });
  });
});

/** What is read, or why it was refused; any other error is thrown. */
function tried<T>(read: () => T): T | ProtocolError {
  try {
    return read();
  } catch (error) {
    if (error instanceof ProtocolError) {
      return error;
    }
    throw error;
  }
}

/** The message with each of its values, at any depth, replaced by each kind of JSON. */
function* spoiled(value: any): Generator<any> {
  yield* [null, true, 1.5, -1, 1e300, 'x', [], [1], {}, { a: [1] }];
  if (typeof value === 'object' && value !== null) {
    for (const key of Object.keys(value)) {
      for (const other of spoiled(value[key])) {
        const copy = Array.isArray(value) ? [...value] : { ...value };
        copy[key] = other;
        yield copy;
      }
    }
  }
}

const FIX = {
  number: 1,
  way: 'jnp.where',
  proof: 'compared',
  diff: '+a',
  cell: 3,
  cell_id: 'c',
  before: 'a',
  after: 'b',
  elsewhere: ['f in cell [2]']
};
const CURE = {
  id: 'r f',
  function: 1,
  name: 'f',
  text: 'why',
  proof: 'traced',
  misses: 3,
  cost_s: 1.5,
  place: { cell: 1, file: '', line: 2 },
  fix: { cell: 3, cell_id: 'c', before: 'a', after: 'b', diff: '+a' }
};

describe('any value of a wrong type', () => {
  it.each(['loaded', 'snapshot', 'update', 'counts', 'reply-unknown'])(
    'in %s is refused or read as what it should be',
    name => {
      for (const message of spoiled(golden(name))) {
        const read = tried(() => parseMessage(message));
        if (!(read instanceof ProtocolError) && read.t === 'snapshot') {
          expect(typeof read.home).toBe('string');
          read.entries.forEach(row => expect(row.id).toBeTypeOf('number'));
        }
      }
    }
  );

  it('in an answer is refused or read as what it should be', () => {
    for (const data of spoiled({ fixes: [FIX] })) {
      const read = tried(() => parseFixes(data ?? {}));
      if (Array.isArray(read)) {
        read.forEach(fix => fix.elsewhere.join(fix.diff.slice(1)));
      }
    }
    for (const data of spoiled({ cures: [CURE] })) {
      tried(() => parseCures(data ?? {}));
    }
    const calls = { count: 1, outcome: ['hit'], dispatch_s: [1] };
    for (const data of spoiled({ ...calls, execute_s: [null, 2] })) {
      const read = tried(() => parseCalls(data ?? {}));
      if (!(read instanceof ProtocolError)) {
        read.execute_s.forEach(each => (each === null ? 0 : each.toFixed()));
      }
    }
    const part = {
      name: 'f',
      beside: '',
      place: { cell: 1, file: '', line: 2 },
      columns: ['time'],
      rows: [['1 ms']],
      lines: [2, null],
      code: ['def f(x):'],
      heat: [0.5]
    };
    for (const data of spoiled({ parts: [part], notes: ['n'] })) {
      const read = tried(() => parseLines(data ?? {}));
      if (!(read instanceof ProtocolError)) {
        for (const each of read.parts) {
          each.rows.flat().forEach(cell => cell.trim());
          each.heat.forEach(heat => heat.toFixed());
          each.lines.forEach(line => line?.toFixed());
          each.place?.line.toFixed();
        }
      }
    }
    const lane = { function: 1, name: 'f', at: [0], trace: [1], hits: [1] };
    const line = { from_s: 1, to_s: 2, stretches: 4, phases: ['trace'] };
    for (const data of spoiled({ ...line, lanes: [lane], cells: [[1, 2]] })) {
      tried(() => parseTimeline(data ?? {}));
    }
    const difference = { what: 'n', now: '8', before: '5', cause: 'shape' };
    for (const data of spoiled({ changed: [difference], same: [] })) {
      tried(() => parseComparison(data ?? {}));
    }
    for (const data of spoiled({ text: 'a', length: 1, values: { a: 1 } })) {
      const read = tried(() => parseDetail(data ?? {}));
      if (!(read instanceof ProtocolError)) {
        Object.values(read.values).forEach(each => each.toFixed());
        read.text.slice(read.length);
      }
    }
  });

  it('leaves what is right as it is', () => {
    const { cell_id, ...fix } = FIX;
    expect(parseFixes({ fixes: [FIX] })).toEqual([{ ...fix, cellId: cell_id }]);
    expect(parseCures({ cures: [CURE] })[0].fix).toMatchObject({
      cell: 3,
      cellId: 'c'
    });
  });
});
