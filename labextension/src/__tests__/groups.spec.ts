import { describe, expect, it } from 'vitest';

import { parseFilter } from '../filter';
import { missGroups } from '../groups';
import { PanelModel } from '../model';
import { parseMessage } from '../messages';
import type { IMissRow, ISnapshot } from '../protocol';
import type { IPanelState } from '../tokens';
import { golden } from './golden';

function state(misses: Partial<IMissRow>[]): IPanelState {
  const model = new PanelModel();
  const snapshot = parseMessage(golden('snapshot')) as ISnapshot;
  const [like] = snapshot.misses;
  snapshot.misses = misses.map((miss, id) => ({
    ...like,
    started_s: 1000 + id,
    id,
    ...miss
  }));
  model.applySnapshot(snapshot);
  return model.state;
}

const step = (
  before: string,
  now: string,
  argument = 'n'
): IMissRow['causes'] => [{ cause: 'static_value', argument, before, now }];

const keys = (
  misses: Partial<IMissRow>[],
  order: 'cost' | 'time',
  filter?: string
): string[] =>
  missGroups(
    state(misses),
    order,
    filter === undefined ? undefined : parseFilter(filter)
  ).map(({ key }) => key);

describe('missGroups', () => {
  it('by time has the newest first', () => {
    expect(keys([{}, { causes: step('5', '8') }], 'time')).toEqual([
      'm1',
      'm0'
    ]);
  });

  it('by cost has what costs most first, and first calls last, with what they come to', () => {
    const found = missGroups(
      state([
        { cost_s: 9 },
        { causes: step('5', '8'), cost_s: 1 },
        { causes: step('5', '8', 'm'), cost_s: 2 },
        { causes: step('8', '5'), cost_s: 3 }
      ]),
      'cost'
    );
    expect(found.map(({ key }) => key)).toEqual(['m1', 'm2', 'first', 'm0']);
    expect(found[0]).toMatchObject({ cost_s: 4, values: ['5', '8', '5'] });
    expect(found[2]).toMatchObject({ count: 1, cost_s: 9 });
  });

  it('tells a run of misses for one reason as one story, and what it cost', () => {
    const [group] = missGroups(
      state([
        { causes: step('5', '8'), cost_s: 1 },
        { causes: step('8', '13'), cost_s: 2 },
        { causes: step('5', '21'), cost_s: null }
      ]),
      'time'
    );
    expect(group).toMatchObject({
      key: 'm0',
      cost_s: 3,
      values: ['5', '8', '13', '5', '21']
    });
  });

  it('keeps apart other arguments, other functions, and first calls', () => {
    const apart = keys(
      [
        {},
        {},
        { causes: step('5', '8') },
        { causes: step('5', '8', 'm') },
        { causes: step('5', '8', 'm'), function: 2 }
      ],
      'time'
    );
    expect(apart.length).toBe(5);
  });

  it('shows the misses that pass the filter of the whole panel', () => {
    const misses = [
      { cost_s: 2 },
      { causes: step('5', '8'), cost_s: 0.5 },
      { causes: step('5', '8'), cost_s: 3, function: 2 }
    ];
    expect(keys(misses, 'time', 'cost:>1s')).toEqual(['m2', 'm0']);
    expect(keys(misses, 'time', 'cause:static_value fn:padded')).toEqual([
      'm1'
    ]);
    expect(keys(misses, 'time', 'static')).toEqual(['m2', 'm1']);
  });
});
