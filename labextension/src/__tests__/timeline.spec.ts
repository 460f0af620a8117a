import { describe, expect, it } from 'vitest';

import { missGroups } from '../groups';
import { PanelModel } from '../model';
import { parseTimeline } from '../answers';
import { parseMessage } from '../messages';
import type { ISnapshot } from '../protocol';
import { laneTotals, moved, toMoment, toX, within } from '../timeline';
import { golden } from './golden';

const WHOLE = [100, 200] as const;

describe('what is shown of the time', () => {
  it('is found again from where it is drawn', () => {
    expect(toMoment(toX(130, WHOLE, 300), WHOLE, 300)).toBeCloseTo(130);
  });

  it('stays inside the whole, its ends in order, and is never nothing', () => {
    expect(within([150, 120], WHOLE)).toEqual([120, 150]);
    expect(within([90, 120], WHOLE)).toEqual([100, 130]);
    expect(within([0, 1000], WHOLE)).toEqual([100, 200]);
    const [from, to] = within([150, 150], WHOLE);
    expect(to).toBeGreaterThan(from);
  });

  it('is moved and zoomed by keys', () => {
    expect(moved([140, 160], WHOLE, { zoom: 0.5 })).toEqual([145, 155]);
    expect(moved([140, 160], WHOLE, { shift: 0.25 })).toEqual([145, 165]);
    expect(moved([180, 200], WHOLE, { shift: 0.25 })).toEqual([180, 200]);
    expect(moved([100, 200], WHOLE, { zoom: 2 })).toEqual([100, 200]);
  });

  it('is of the misses, too', () => {
    const model = new PanelModel();
    const snapshot = parseMessage(golden('snapshot')) as ISnapshot;
    model.applySnapshot(snapshot);
    const moment = snapshot.misses[1].started_s!;
    const shown = missGroups(model.state, 'time', undefined, [
      moment - 0.5,
      moment + 0.5
    ]);
    expect(shown.map(({ key }) => key)).toEqual(['m2']);
  });
});

describe('the kernel’s timeline', () => {
  const data = {
    from_s: 100,
    to_s: 104,
    whole: [100, 200],
    stretches: 4,
    phases: ['trace', 'compile'],
    lanes: [
      {
        function: 1,
        name: 'f',
        at: [0, 2],
        trace: [0.5, 0],
        compile: [0.5, 1],
        hits: [0, 7],
        misses: [1, 0]
      }
    ],
    cells: [
      [3, 100, 101],
      [4, 102, null]
    ]
  };

  it('comes to what its lanes add up to', () => {
    const [lane] = parseTimeline(data).lanes;
    expect(laneTotals(lane)).toEqual({
      seconds: { trace: 0.5, compile: 1.5 },
      hits: 7,
      misses: 1
    });
  });

  it('leaves out what is no cell, and refuses what is no timeline', () => {
    const odd = { ...data, cells: [[3, 100, 101], 'x', [4], null] };
    expect(parseTimeline(odd).cells).toEqual([[3, 100, 101]]);
    expect(() => parseTimeline({ lanes: [{}] })).toThrow();
  });
});
