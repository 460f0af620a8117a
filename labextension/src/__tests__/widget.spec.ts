/** The panel below a cell: its conversation over a widget's comm, and its words without JupyterLab's. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { PanelModel } from '../model';
import { nullTranslator } from '../widget/english';
import { WidgetLink } from '../widget/link';
import { golden } from './golden';

/** A widget's model: what is sent is kept, what arrives is said by the test. */
class FakeWidget {
  sent: any[] = [];
  connected = true;

  send(content: unknown): void {
    if (!this.connected) {
      throw new Error('no comm');
    }
    this.sent.push(content);
  }

  on(event: string, listener: (content: any) => void): void {
    this._listeners.set(event, listener);
  }

  off(event: string): void {
    this._listeners.delete(event);
  }

  say(message: unknown, panel = this.panel): void {
    this._listeners.get('msg:custom')?.({ panel, message });
  }

  tell(event: string): void {
    this._listeners.get(event)?.(undefined);
  }

  get panel(): string {
    return this.sent[0].panel;
  }

  ops(): string[] {
    return this.sent.map(each => each.op);
  }

  get listens(): boolean {
    return this._listeners.size > 0;
  }

  private _listeners = new Map<string, (content: any) => void>();
}

describe('the link of a widget', () => {
  let widget: FakeWidget;
  let model: PanelModel;
  let link: WidgetLink;

  beforeEach(() => {
    vi.useFakeTimers();
    widget = new FakeWidget();
    model = new PanelModel();
    link = new WidgetLink(widget as any, model);
  });

  afterEach(() => {
    link.dispose();
    vi.useRealTimers();
  });

  it('asks for everything, and shows it with what changes', () => {
    expect(widget.ops()).toEqual(['open']);
    expect(model.state.link).toBe('connecting');
    widget.say(golden('snapshot'));
    expect(model.state.link).toBe('live');
    const update = golden('update');
    widget.say({ ...update, epoch: model.state.epoch, seq: 1e9 }, '');
    expect(widget.ops()).toEqual(['open', 'snapshot']); // one was missed
  });

  it('asks for everything again where that did not come', () => {
    widget.say(golden('snapshot'));
    const later = { ...golden('update'), epoch: model.state.epoch, seq: 1e9 };
    widget.say(later, '');
    widget.say(later, '');
    expect(widget.ops()).toEqual(['open', 'snapshot']);
    vi.advanceTimersByTime(11_000);
    widget.say(later, '');
    expect(widget.ops()).toEqual(['open', 'snapshot', 'snapshot']);
  });

  it('leaves what is meant for another view of the same widget', () => {
    widget.say(golden('snapshot'), 'another');
    expect(model.state.link).toBe('connecting');
  });

  it('says that it waits where no answer comes, and asks again until one does', () => {
    vi.advanceTimersByTime(700);
    expect(model.state.link).toBe('waiting');
    vi.advanceTimersByTime(60_000);
    const asked = widget.ops().length;
    expect(asked).toBeGreaterThan(3);
    widget.say(golden('snapshot'));
    vi.advanceTimersByTime(14_000);
    expect(widget.ops()).toHaveLength(asked);
    expect(model.state.link).toBe('live');
  });

  it('answers a question, or tells in one line why not', async () => {
    widget.say(golden('snapshot'));
    const answer = link.request('detail', { entry: 3 });
    const asked = widget.sent.at(-1);
    expect(asked.args).toEqual({ entry: 3, epoch: model.state.epoch });
    widget.say({ t: 'reply', v: 1, id: asked.id, ok: true, data: { a: 1 } });
    expect(await answer).toEqual({ a: 1 });
    const refused = link.request('clear');
    const { id } = widget.sent.at(-1);
    widget.say({ t: 'reply', v: 1, id, ok: false, error: 'it is gone' });
    await expect(refused).rejects.toThrow('it is gone');
  });

  it('does not call live what does not answer, and is live again when it does', async () => {
    widget.say(golden('snapshot'));
    vi.advanceTimersByTime(30_000);
    expect(widget.ops()).toEqual(['open', 'here']);
    vi.advanceTimersByTime(15_000);
    expect(model.state.link).toBe('waiting');
    const { id } = widget.sent.at(-1);
    widget.say({ t: 'reply', v: 1, id, ok: true, data: {} });
    await vi.advanceTimersByTimeAsync(1);
    expect(widget.ops().at(-1)).toBe('open');
  });

  it('says so when the front end tells that the kernel is gone', async () => {
    widget.say(golden('snapshot'));
    const rows = model.state.functions.size;
    const question = link.request('detail');
    widget.tell('comm_live_update');
    expect(model.state.link).toBe('lost');
    expect(model.state.functions.size).toBe(rows);
    await expect(question).rejects.toThrow('ended');
  });

  it('forgets the rows when the extension is unloaded', () => {
    widget.say(golden('snapshot'));
    widget.say(golden('unloaded'), '');
    expect(model.state.link).toBe('unloaded');
    expect(model.state.functions.size).toBe(0);
  });

  it('ignores nonsense with a warning', () => {
    const warned = vi.spyOn(console, 'warn').mockImplementation(() => {});
    widget.say({ t: 'snapshot' });
    expect(warned).toHaveBeenCalled();
    expect(model.state.link).toBe('connecting');
    warned.mockRestore();
  });

  it('says goodbye and listens no more', () => {
    link.dispose();
    expect(widget.ops().at(-1)).toBe('close');
    expect(widget.listens).toBe(false);
    vi.advanceTimersByTime(60_000);
    expect(widget.ops().at(-1)).toBe('close');
  });
});

describe('words without JupyterLab', () => {
  const trans = nullTranslator.load();

  it('fills in what is named by number', () => {
    expect(trans.__('%1 of %2, %1', 3, 'x')).toBe('3 of x, 3');
    expect(trans.__('100 %')).toBe('100 %');
  });

  it('counts as JupyterLab does', () => {
    expect(trans._n('%1 miss', '%1 misses', 1)).toBe('1 miss');
    expect(trans._n('%1 miss of %2', '%1 misses of %2', 2, 'f')).toBe(
      '2 misses of f'
    );
  });
});
