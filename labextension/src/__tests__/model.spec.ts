import { beforeEach, describe, expect, it } from 'vitest';

import { PanelModel, median, usualTime } from '../model';
import { parseMessage } from '../messages';
import type { ISnapshot, IUpdate } from '../protocol';
import { golden } from './golden';

const snapshot = (): ISnapshot => parseMessage(golden('snapshot')) as ISnapshot;
const update = (): IUpdate => parseMessage(golden('update')) as IUpdate;

describe('PanelModel', () => {
  let model: PanelModel;

  beforeEach(() => {
    model = new PanelModel();
  });

  it('shows a snapshot, and then what an update changes', () => {
    model.applySnapshot(snapshot());
    expect(model.state.link).toBe('live');
    expect(model.state.functions.get(1)?.hits).toBe(3);
    expect(model.applyUpdate(update())).toBe('applied');
    expect(model.state.functions.get(1)?.hits).toBe(5);
    expect([...model.state.entries.keys()]).toEqual([10, 11, 12]);
    expect(model.state.misses.map(miss => miss.id)).toEqual([1, 2, 3]);
  });

  it('has the same misses while none came, so that nobody asks for advice again', () => {
    model.applySnapshot(snapshot());
    const { misses } = model.state;
    model.applyUpdate({ ...update(), misses: [] });
    expect(model.state.misses).toBe(misses);
  });

  it('counts what the status bar shows', () => {
    model.applySnapshot(snapshot());
    expect(model.state.counts).toMatchObject({ running: 0, misses: 2 });
    model.applyUpdate(update());
    expect(model.state.counts.misses).toBe(3);
    expect(model.state.counts.compile_s).toBeCloseTo(0.132);
  });

  it('leaves open what is still the same function, and nothing else that got its number', () => {
    model.applySnapshot(snapshot());
    model.expand([1, 2], true);
    model.togglePin(2);
    const after = snapshot();
    after.functions[1].name = 'another';
    model.applySnapshot(after);
    expect([...model.state.expanded]).toEqual([1]);
    expect(model.state.pinned.size).toBe(0);
  });

  it('tells a gap, and keeps its state', () => {
    model.applySnapshot(snapshot());
    const before = model.state;
    expect(model.applyUpdate({ ...update(), seq: 3 })).toBe('gap');
    expect(model.state).toBe(before);
  });

  it('ignores an update of another epoch, and one that it had', () => {
    model.applySnapshot(snapshot());
    expect(model.applyUpdate({ ...update(), epoch: 'other' })).toBe('ignored');
    expect(model.applyUpdate({ ...update(), seq: 0 })).toBe('ignored');
    expect(model.state.functions.get(1)?.hits).toBe(3);
  });

  it('drops rows that are gone', () => {
    model.applySnapshot(snapshot());
    model.applyUpdate({
      ...update(),
      functions: [],
      entries: [],
      gone_functions: [2],
      gone_entries: [11]
    });
    expect([...model.state.functions.keys()]).toEqual([1]);
    expect([...model.state.entries.keys()]).toEqual([10]);
  });

  it('keeps the old rows while the kernel restarts, and none of them after', () => {
    model.applySnapshot(snapshot());
    model.setLink('restarting');
    expect(model.state.functions.size).toBe(2);
    model.clear('unloaded');
    expect(model.state.functions.size).toBe(0);
    expect(model.state.misses).toEqual([]);
  });

  it('tells every listener until it leaves, and nobody of no change', () => {
    let told = 0;
    const leave = model.subscribe(() => {
      told += 1;
    });
    model.setBusy(true);
    model.setBusy(true);
    model.setSource({ kind: 'notebook', name: 'a', path: 'a' });
    model.setSource({ kind: 'notebook', name: 'a', path: 'a' });
    expect(told).toBe(2);
    leave();
    model.setBusy(false);
    expect(told).toBe(2);
  });

  it('puts the start of a phase on this machine’s clock', () => {
    model.applySnapshot(snapshot());
    const row = {
      function: 1,
      name: 'padded',
      phase: 'compile',
      elapsed_s: 2,
      done: [],
      thread: 1
    };
    model.applyUpdate({ ...update(), now: [row] });
    const [now] = model.state.now;
    expect(performance.now() - now.since).toBeGreaterThanOrEqual(2000);
    expect(performance.now() - now.since).toBeLessThan(2500);
  });
});

describe('usualTime', () => {
  it('is the median of this function’s entries, and nothing without history', () => {
    const model = new PanelModel();
    model.applySnapshot(snapshot());
    const entries = [...model.state.entries.values()];
    expect(usualTime(entries, 1, 'compile')).toBeCloseTo(0.044);
    expect(usualTime(entries, 2, 'compile')).toBeNull();
  });

  it('leaves out what came from the disk cache', () => {
    const [entry] = snapshot().entries;
    const disk = { ...entry, id: 50, outcome: 'disk_hit', compile_s: 0.001 };
    expect(usualTime([entry, disk], 1, 'compile')).toBeCloseTo(0.044);
  });

  it('median', () => {
    expect(median([])).toBeNull();
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
  });
});

describe('what is kept when the page goes', () => {
  it('comes back: how the panel is arranged at once, what is of functions with the start of the extension that it was of', () => {
    const before = new PanelModel();
    before.applySnapshot(snapshot());
    const [id] = [...before.state.functions.keys()];
    before.expand([id], true);
    before.togglePin(id);
    before.setView({ order: 'time', layout: { 'jitmagic.timeline': true } });
    const kept = JSON.parse(JSON.stringify(before.kept));

    const after = new PanelModel();
    after.restore(kept);
    expect(after.state.order).toBe('time');
    expect(after.state.layout).toEqual({ 'jitmagic.timeline': true });
    expect(after.state.expanded.size).toBe(0);
    after.applySnapshot(snapshot());
    expect([...after.state.expanded]).toEqual([id]);
    expect([...after.state.pinned]).toEqual([id]);

    const other = new PanelModel();
    other.restore(kept);
    other.applySnapshot({ ...snapshot(), epoch: 'another' });
    expect(other.state.expanded.size + other.state.pinned.size).toBe(0);
  });

  it('is left alone where it is nonsense', () => {
    const model = new PanelModel();
    for (const nonsense of [
      undefined,
      null,
      3,
      'x',
      [],
      { layout: 7, order: 1, pinned: 'x', epoch: {} }
    ]) {
      model.restore(nonsense);
    }
    expect(model.kept).toEqual(new PanelModel().kept);
  });
});
