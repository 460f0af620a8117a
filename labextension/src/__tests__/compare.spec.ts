import { describe, expect, it } from 'vitest';

import { compare, splitAvals } from '../compare';
import type { ISnapshot } from '../protocol';
import { parseMessage } from '../protocol';
import { golden } from './golden';

describe('splitAvals', () => {
  it.each([
    ['', []],
    ['f32[4,3]', ['f32[4,3]']],
    ['f32[4,3], i32[]', ['f32[4,3]', 'i32[]']],
    [
      "{'w': f32[3], 'a, b]': (f32[], i32[2])}, f32[]",
      ["{'w': f32[3], 'a, b]': (f32[], i32[2])}", 'f32[]']
    ]
  ])('%s', (text, parts) => {
    expect(splitAvals(text)).toEqual(parts);
  });
});

describe('compare', () => {
  const [, entry] = (parseMessage(golden('snapshot')) as ISnapshot).entries;

  it('marks the leaf and the static value that differ, and only these', () => {
    const now = {
      ...entry,
      avals: 'f32[8], i32[]',
      static: { n: '8', m: '1' }
    };
    const before = {
      ...entry,
      avals: 'f32[5], i32[]',
      static: { n: '5', m: '1' }
    };
    const found = compare(now, before);
    expect(found.filter(each => each.differs)).toEqual([
      { what: '#1', now: 'f32[8]', before: 'f32[5]', differs: true },
      { what: 'n', now: '8', before: '5', differs: true }
    ]);
    expect(found.length).toBe(4);
  });

  it('shows what one has and the other lacks', () => {
    const now = {
      ...entry,
      avals: 'f32[8]',
      static: {},
      transformation: 'grad'
    };
    const before = { ...entry, avals: '', static: { n: '5' } };
    expect(compare(now, before)).toEqual([
      { what: '#1', now: 'f32[8]', before: '–', differs: true },
      { what: 'n', now: '–', before: '5', differs: true },
      { what: 'under', now: 'grad', before: '–', differs: true }
    ]);
  });
});
