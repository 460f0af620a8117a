import { describe, expect, it } from 'vitest';

import { NO_FILTER, parseFilter } from '../filter';
import { bytesTogether } from '../format';
import { PanelModel } from '../model';
import { parseMessage } from '../messages';
import type { ISnapshot } from '../protocol';
import {
  type IFunctionItem,
  type ITableView,
  entryLabel,
  tableItems,
  withHeadings
} from '../table';
import type { IPanelState } from '../tokens';
import { golden } from './golden';

const ALL: ITableView = {
  filter: NO_FILTER,
  show: 'all',
  sort: null,
  expanded: new Set(),
  pinned: new Set()
};

function state(change: (snapshot: ISnapshot) => void = () => {}): IPanelState {
  const model = new PanelModel();
  const snapshot = parseMessage(golden('snapshot')) as ISnapshot;
  change(snapshot);
  model.applySnapshot(snapshot);
  return model.state;
}

const keys = (view: Partial<ITableView>, shown = state()): string[] =>
  tableItems(shown, { ...ALL, ...view }).map(item => item.key);

describe('tableItems', () => {
  it('lists functions, and under open ones their entries', () => {
    expect(keys({})).toEqual(['f1', 'f2']);
    expect(keys({ expanded: new Set([1]) })).toEqual([
      'f1',
      'e10',
      'e11',
      'f2'
    ]);
  });

  it('filters by the name of a function or by what an entry shows', () => {
    expect(keys({ filter: parseFilter('PAD') })).toEqual(['f1']);
    expect(
      keys({ filter: parseFilter('n=8'), expanded: new Set([1]) })
    ).toEqual(['f1', 'e11']);
    expect(keys({ filter: parseFilter('nothing like it') })).toEqual([]);
  });

  it('shows the functions that were compiled again', () => {
    expect(keys({ show: 'recompiled' })).toEqual(['f1']);
  });

  it('sums up the memory of living entries, and says where that of one is not known', () => {
    const known = (
      first: number | null,
      alive = true
    ): [number | null, boolean] => {
      const found = state(({ entries }) => {
        const rows = entries.filter(row => row.function === 1);
        rows.forEach(row => {
          row.executable_bytes = 100;
          row.temp_bytes = 0;
        });
        Object.assign(rows[0], {
          executable_bytes: first,
          temp_bytes: first,
          alive
        });
      });
      const [item] = tableItems(found, ALL) as IFunctionItem[];
      return [item.memory, item.memoryWhole];
    };
    expect(known(10)).toEqual([120, true]);
    expect(known(null)).toEqual([100, false]);
    expect(known(10, false)).toEqual([100, true]);
    expect([bytesTogether(100, false), bytesTogether(null, false)]).toEqual([
      '≥ 100 B',
      '–'
    ]);
  });

  it('filters by function, cause and cost', () => {
    const filtered = (text: string): string[] =>
      keys({ filter: parseFilter(text) });
    expect(filtered('fn:bold')).toEqual(['f2']);
    expect(filtered('cause:static_value')).toEqual(['f1']);
    expect(filtered('cause:dtype')).toEqual([]);
    expect(filtered('cost:>100ms')).toEqual(['f1']);
    expect(filtered('cost:<100ms')).toEqual(['f2']);
  });

  it('has what lives before what is dead, however it is sorted', () => {
    const shown = state(snapshot => {
      snapshot.functions[0].superseded = true;
    });
    const sort = { column: 'cost', down: true } as const;
    expect(keys({ sort })).toEqual(['f1', 'f2']);
    expect(keys({ sort }, shown)).toEqual(['f2', 'f1']);
  });

  it('compares costs by bars in which a small one is seen beside a large one', () => {
    const shown = state(snapshot => {
      snapshot.functions[1].compile_s = 1e-4;
    });
    const [large, small] = tableItems(shown, ALL);
    expect(large).toMatchObject({ cost: 0.102, bar: 1 });
    expect((small as { bar: number }).bar).toBeGreaterThan(0.03);
  });

  it('shows what is dead, and only that', () => {
    const shown = state(snapshot => {
      snapshot.entries[0].superseded = true;
    });
    expect(keys({ show: 'dead', expanded: new Set([1]) }, shown)).toEqual([
      'f1',
      'e10'
    ]);
  });

  it('sorts functions and their entries, the unknown last both ways', () => {
    const by = (column: 'hits' | 'compile', down: boolean): string[] =>
      keys({ sort: { column, down }, expanded: new Set([1]) });
    expect(by('hits', true)).toEqual(['f1', 'e10', 'e11', 'f2']);
    expect(by('hits', false)).toEqual(['f2', 'f1', 'e11', 'e10']);
    expect(by('compile', true).filter(key => key[0] === 'f')).toEqual([
      'f1',
      'f2'
    ]);
    expect(by('compile', false).filter(key => key[0] === 'f')).toEqual([
      'f1',
      'f2'
    ]);
  });

  it('keeps pinned functions on top, sorted among themselves', () => {
    expect(keys({ pinned: new Set([2]) })).toEqual(['f2', 'f1']);
    const sort = { column: 'name', down: false } as const;
    expect(keys({ pinned: new Set([1, 2]), sort })).toEqual(['f2', 'f1']);
  });

  it('gives a function the range of what was measured, not an average', () => {
    const shown = state(snapshot => {
      snapshot.entries[1].execute_s = 1e-3;
    });
    const [padded, bold] = tableItems(shown, ALL);
    expect(padded).toMatchObject({ entries: 2, execute: [7.9e-6, 1e-3] });
    expect(bold).toMatchObject({ entries: 0, execute: null });
  });

  it('places each row among its siblings, for those who hear the table', () => {
    const items = tableItems(state(), { ...ALL, expanded: new Set([1]) });
    expect(items.map(item => [item.position, item.count])).toEqual([
      [1, 2],
      [1, 2],
      [2, 2],
      [2, 2]
    ]);
  });

  it.each(
    golden('labels') as { names: string[]; entry: object; line: string }[]
  )('names an entry as %jitcache does: $line', ({ names, entry, line }) => {
    const [row] = state().entries.values();
    expect(entryLabel({ ...row, ...entry }, names)).toBe(line);
  });

  it('gives each column of what differs the room of its longest value', () => {
    const shown = state(snapshot => {
      snapshot.entries[1].apart = ['1024'];
    });
    const [, entry] = tableItems(shown, { ...ALL, expanded: new Set([1]) });
    expect(entry).toMatchObject({ names: ['n'], lengths: [4] });
  });

  it('names what tells entries apart once, above them, and nothing where nothing does', () => {
    const shown = state(snapshot => {
      snapshot.functions[0].apart = ['n'];
      snapshot.entries[0].apart = ['8'];
      snapshot.entries[1].apart = ['1024'];
      snapshot.functions[1].apart = [];
    });
    const items = tableItems(shown, { ...ALL, expanded: new Set([1, 2]) });
    const headings = withHeadings(items).filter(
      item => item.kind === 'heading'
    );
    expect(headings).toMatchObject([{ key: 'h1', names: ['n'], lengths: [4] }]);
    const keys = withHeadings(items).map(item => item.key);
    expect(keys.indexOf('h1')).toBe(keys.indexOf('f1') + 1);
    expect(keys.filter(key => key !== 'h1')).toEqual(
      items.map(item => item.key)
    );
  });
});
