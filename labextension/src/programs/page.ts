/** A tab with one program to read, or with two as a difference: a bar above, an editor that changes nothing below. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { Message } from '@lumino/messaging';
import { Panel, Widget } from '@lumino/widgets';

import { parseProgram } from '../answers';
import type { IProgram } from '../protocol';
import type { IProgramChoice } from '../tokens';
import { type IProgramHost, KIND_NAMES } from './host';
import type { ProgramReader } from './reader';
import { ProgramTools } from './tools';

/** From here on it is said that a kernel has not answered yet. */
const LONG_MS = 15_000;

/** What the bar shows; replaced when anything of it changes. */
export interface IPageState {
  readonly choice: IProgramChoice;
  /** The program that is read; of two that are compared the one that the other differs from. */
  readonly program: IProgram | null;
  /** The line with the cursor, from 0. */
  readonly line: number;
  /** Of two programs: in how many places they differ; null where that is not known. */
  readonly changes: number | null;
  /** What cannot be shown, in one line; empty where all can. */
  readonly trouble: string;
}

/** What the bar can do with what is shown below it. */
export interface IProgramView extends Widget {
  /** To the next place in which two programs differ, or to the one before. */
  step?(forward: boolean): void;
}

export class ProgramPage extends Panel {
  constructor(
    readonly host: IProgramHost,
    choice: IProgramChoice
  ) {
    super();
    this.addClass('jp-JitMagicProgram');
    this.epoch = host.panel.model.state.epoch;
    this._state = {
      choice,
      program: null,
      line: 0,
      changes: null,
      trouble: ''
    };
    this.addWidget(new ProgramTools(this));
    this._name();
    void this._load();
  }

  /** The start of the extension that the entries are of. */
  readonly epoch: string;

  get state(): IPageState {
    return this._state;
  }

  get reader(): ProgramReader | null {
    return this._reader;
  }

  subscribe = (listener: () => void): (() => void) => {
    this._listeners.add(listener);
    return () => {
      this._listeners.delete(listener);
    };
  };

  /** Show another program of the same entries. */
  choose(what: IProgramChoice['what']): void {
    this._change({ choice: { ...this._state.choice, what } });
    this._name();
    void this._load();
  }

  step(forward: boolean): void {
    this._view?.step?.(forward);
  }

  protected onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.host.panel.watch(this, true);
  }

  protected onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this.host.panel.watch(this, this.isVisible);
  }

  protected onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this.host.panel.watch(this, false);
  }

  protected onBeforeDetach(message: Message): void {
    this.host.panel.watch(this, false);
    super.onBeforeDetach(message);
  }

  protected onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    this._view?.activate();
  }

  private async _load(): Promise<void> {
    const { choice } = this._state;
    const { trans } = this.host;
    const stale = (): boolean =>
      this.isDisposed || choice !== this._state.choice;
    this._change({ trouble: trans.__('Asking the kernel…') });
    const slow = setTimeout(
      () =>
        !stale() &&
        this._change({
          trouble: trans.__(
            'The kernel has not answered yet. To ask again, choose the program again.'
          )
        }),
      LONG_MS
    );
    try {
      const [program, other] = await Promise.all([
        this._ask(choice.entry, choice),
        choice.other === null ? null : this._ask(choice.other, choice)
      ]);
      const view = other
        ? await this._difference(other, program, choice)
        : await this._reading(program, choice);
      if (stale()) {
        view.dispose();
        return;
      }
      this._show(view);
      this._change({ program, line: 0, trouble: '' });
    } catch (error) {
      if (!stale()) {
        this._change({ trouble: (error as Error).message });
      }
    } finally {
      clearTimeout(slow);
    }
  }

  private async _ask(entry: number, choice: IProgramChoice): Promise<IProgram> {
    const { what } = choice;
    const { epoch } = this;
    return parseProgram(
      await this.host.panel.request('program', { entry, what, epoch })
    );
  }

  private async _reading(
    program: IProgram,
    choice: IProgramChoice
  ): Promise<IProgramView> {
    const { ProgramReader } = await import('./reader');
    return new ProgramReader(this.host, choice.what, program, line =>
      this._change({ line })
    );
  }

  private async _difference(
    other: IProgram,
    program: IProgram,
    choice: IProgramChoice
  ): Promise<IProgramView> {
    const { ProgramDifference } = await import('./difference');
    return new ProgramDifference(this.host, choice, other, program, changes =>
      this._change({ changes })
    );
  }

  private _show(view: IProgramView): void {
    this._view?.dispose();
    this._view = view;
    this._reader =
      this._state.choice.other === null ? (view as ProgramReader) : null;
    this.addWidget(view);
  }

  private _name(): void {
    const { entry, other, what } = this._state.choice;
    const { state } = this.host.panel.model;
    const row = state.entries.get(entry);
    const name = state.functions.get(row?.function ?? 0)?.name ?? '';
    this.title.label = title(this.host.trans, name, entry, other, what);
    this.node.setAttribute('aria-label', this.title.label);
  }

  private _change(part: Partial<IPageState>): void {
    this._state = { ...this._state, ...part };
    this._listeners.forEach(listener => listener());
  }

  private _state: IPageState;
  private _view: IProgramView | null = null;
  private _reader: ProgramReader | null = null;
  private _listeners = new Set<() => void>();
}

function title(
  trans: TranslationBundle,
  name: string,
  entry: number,
  other: number | null,
  what: IProgramChoice['what']
): string {
  return other === null
    ? trans.__('%1, entry %2: %3', name, entry, KIND_NAMES[what])
    : trans.__(
        '%1, entries %2 and %3: %4',
        name,
        other,
        entry,
        KIND_NAMES[what]
      );
}
