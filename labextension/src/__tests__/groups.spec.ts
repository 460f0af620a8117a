import { describe, expect, it } from 'vitest';

import { timeline } from '../groups';
import { PanelModel } from '../model';
import { type IMissRow, type ISnapshot, parseMessage } from '../protocol';
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

describe('timeline', () => {
  it('has the newest first, advice among the misses', () => {
    const moments = timeline(state([{}, { causes: step('5', '8') }]));
    expect(moments.map(moment => moment.key)).toEqual(['d1', 'm1', 'm0']);
  });

  it('tells a run of misses for one reason as one story, and what it cost', () => {
    const [, group] = timeline(
      state([
        { causes: step('5', '8'), cost_s: 1 },
        { causes: step('8', '13'), cost_s: 2 },
        { causes: step('5', '21'), cost_s: null }
      ])
    );
    expect(group).toMatchObject({
      key: 'm0',
      cost_s: 3,
      values: ['5', '8', '13', '5', '21']
    });
  });

  it('keeps apart other arguments, other functions, and first calls', () => {
    const moments = timeline(
      state([
        {},
        {},
        { causes: step('5', '8') },
        { causes: step('5', '8', 'm') },
        { causes: step('5', '8', 'm'), function: 2 }
      ])
    );
    expect(moments.filter(moment => moment.kind === 'misses').length).toBe(5);
  });
});
