import { EditorView } from '@codemirror/view';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { type IBeside, beside } from '../editor/beside';
import { canHaveRun } from '../editor/cells';
import { heatByCell, marksByCell } from '../editor/marks';
import type { ILines, IMissRow } from '../protocol';

const WHY = 'why';

function miss(id: number, line: number, facts: Partial<IMissRow>): IMissRow {
  return {
    id,
    call: id,
    function: 1,
    entry: id,
    causes: [
      { cause: 'shape', argument: 'x', before: 'f32[1]', now: 'f32[2]' }
    ],
    cost_s: 1,
    call_site: { cell: 3, file: '', line },
    started_s: id,
    ...facts
  };
}

describe('marks', () => {
  it('add up the recompiles of a line and lead to the dearest; first calls and files are none', () => {
    const first = [{ cause: 'first_call', argument: '', before: '', now: '' }];
    const marks = marksByCell([
      miss(1, 2, { causes: first }),
      miss(2, 2, { cost_s: 5 }),
      miss(3, 2, {}),
      miss(4, 1, { cost_s: null }),
      miss(5, 7, { call_site: { cell: null, file: 'model.py', line: 7 } }),
      miss(6, 7, { call_site: null })
    ]);
    expect([...marks.keys()]).toEqual([3]);
    expect(marks.get(3)).toEqual([
      { line: 1, recompiles: 1, cost_s: null, miss: 4, at: 4 },
      { line: 2, recompiles: 2, cost_s: 6, miss: 2, at: 3 }
    ]);
  });

  it('belong to a cell that can have run then, as far as its times are known', () => {
    const cell = (times?: object) => ({ getMetadata: () => times }) as any;
    const times = {
      'iopub.execute_input': '2026-01-01T00:00:10Z',
      'shell.execute_reply': '2026-01-01T00:01:00Z'
    };
    const begun = Date.parse('2026-01-01T00:00:10Z') / 1000;
    expect(canHaveRun(cell(times), begun + 20)).toBe(true);
    expect(canHaveRun(cell(times), begun - 100)).toBe(false);
    expect(canHaveRun(cell(times), begun + 1000)).toBe(false);
    expect(canHaveRun(cell(), begun)).toBe(true);
    expect(canHaveRun(cell(times), null)).toBe(true);
  });
});

describe('heat', () => {
  it('is that of the lines of cells, with the share as the table says it', () => {
    const part = {
      name: 'f',
      beside: '',
      place: { cell: 2, file: '', line: 1 },
      columns: ['share'],
      rows: [[''], ['80 %'], ['20 %']],
      lines: [1, 2, null],
      code: ['', '', ''],
      heat: [0, 1, 0.2]
    };
    const lines: ILines = {
      parts: [part, { ...part, place: { cell: null, file: 'a.py', line: 1 } }],
      notes: [],
      loop: null
    };
    expect([...heatByCell(lines)]).toEqual([
      [2, [{ line: 2, share: '80 %', of: 'share', heat: 1 }]]
    ]);
  });
});

describe('what stands beside the lines', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('is drawn when it is told, opened by a click, and gone when the text changes', () => {
    const opened = vi.fn();
    let told: IBeside = { marks: [], heat: [] };
    let tell = (): void => {};
    const view = new EditorView({
      parent: document.body,
      doc: 'one\ntwo',
      extensions: beside({
        read: () => told,
        subscribe: listener => {
          tell = listener;
          return () => {};
        }
      })
    });
    const marks = (): NodeListOf<HTMLElement> =>
      view.dom.querySelectorAll('.jp-JitMagicMark');
    expect(marks().length).toBe(0);
    told = {
      marks: [
        { line: 2, text: '2 recompiles, 1 s', title: WHY, open: opened },
        { line: 9, text: 'of no line', title: '', open: opened }
      ],
      heat: [{ line: 1, share: '80 %', of: 'program', heat: 2 }]
    };
    tell();
    vi.runAllTimers();
    expect([...marks()].map(each => each.textContent)).toEqual([
      '2 recompiles, 1 s'
    ]);
    const warm = view.dom.querySelector<HTMLElement>('.jp-JitMagicHeat');
    expect(warm?.dataset.share).toBe('80 %');
    expect(warm?.style.getPropertyValue('--jitmagic-heat')).toBe('1');
    marks()[0].click();
    expect(opened).toHaveBeenCalledOnce();
    view.dispatch({ changes: { from: 0, insert: 'x' } });
    expect(marks().length).toBe(0);
    expect(view.dom.querySelector('.jp-JitMagicHeat')).toBeNull();
    // as after undo: what is told of the text is drawn again
    vi.runAllTimers();
    expect(marks().length).toBe(1);
    view.destroy();
  });
});
