/** The widget in the sidebar, and the one place where tracker, connection and model meet. */
import type { ITranslator, TranslationBundle } from '@jupyterlab/translation';
import { nullTranslator } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { Kernel } from '@jupyterlab/services';
import type { CommandRegistry } from '@lumino/commands';
import type { IDisposable } from '@lumino/disposable';
import type { Message } from '@lumino/messaging';
import { type ISignal, Signal } from '@lumino/signaling';
import * as React from 'react';

import { isColumn, toggled } from './columns';
import { type IWhen, KernelLink } from './connection';
import { keepCures } from './curing';
import { maybeText } from './fields';
import { jitIcon } from './icon';
import type { IJitPanel } from './jitpanel';
import { applyFix, jumpTo } from './jump';
import { loadExtension, runCell } from './load';
import { PanelModel } from './model';
import { parseRolled } from './answers';
import { type IPlace, type IReply, type IRequest } from './protocol';
import {
  type ColumnId,
  CommandIDs,
  type IPanelActions,
  PANEL_ID,
  type Selection
} from './tokens';
import { questions } from './questions';
import type { Followed, SourceTracker } from './tracker';
import { App } from './views/app';

/** So long a click waits for a kernel that answers between cells only. */
const SOON_MS = 500;
/** From here on it is said that the kernel has not done yet what it was asked to do. */
const SLOW_MS = 5000;

export class JitPanel extends ReactWidget implements IJitPanel {
  /** `_open`: shows it where it has its place. */
  constructor(
    private readonly _tracker: SourceTracker,
    private readonly _commands: CommandRegistry,
    private readonly _open: () => void,
    translator?: ITranslator
  ) {
    super();
    this._trans = (translator ?? nullTranslator).load('jupyter_jitmagic');
    const trans = this._trans;
    this.id = PANEL_ID;
    this.title.icon = jitIcon;
    this.title.caption = trans.__('JIT caches');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('JIT caches'));
    this.node.tabIndex = -1;
    this.addClass('jp-JitMagic');
    this.addClass('jp-JitMagic-caches');
    this._tracker.changed.connect(this._follow, this);
    this._cures = keepCures(
      this.model,
      (op, args) => this.request(op, args),
      () => this.seen
    );
    let { link } = this.model.state;
    this.model.subscribe(() => {
      if (link !== this.model.state.link) {
        link = this.model.state.link;
        this._countsChanged.emit();
      }
      if (document.activeElement === this.node) {
        requestAnimationFrame(() => this._takeFocus()); // when it is drawn
      }
    });
  }

  readonly model = new PanelModel();

  /** Nothing is asked of a kernel, and nothing arrives from it, while the panel cannot be seen. */
  get listening(): boolean {
    return this._link !== null;
  }

  dispose(): void {
    if (!this.isDisposed) {
      this._tracker.changed.disconnect(this._follow, this);
      this._cures.dispose();
      this._unlink();
      super.dispose();
    }
  }

  protected render(): React.JSX.Element {
    return (
      <App store={this.model} actions={this._actions} trans={this._trans} />
    );
  }

  /** Opened by a command: the keyboard goes on in here. */
  protected onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    const enter = (): void => {
      if (this.isVisible && !this.node.contains(document.activeElement)) {
        this.node.focus();
        this._takeFocus();
      }
    };
    enter();
    setTimeout(enter, 50); // the command palette, as it closes, gives the focus to the document
  }

  /** From the panel itself to the first thing in it that is there to be used, as soon as it is there. */
  private _takeFocus(): void {
    if (document.activeElement === this.node) {
      this.node
        .querySelector<HTMLElement>('input, .jp-JitMagic-load')
        ?.focus({ preventScroll: true });
    }
  }

  protected onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._follow();
  }

  protected onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this._follow();
  }

  protected onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this._follow();
  }

  protected onBeforeDetach(message: Message): void {
    if (this._views.size === 0) {
      this._unlink();
    }
    super.onBeforeDetach(message);
  }

  /** Another view of the same rows can be seen, or no longer: while one can, the kernel is listened to. */
  watch(view: unknown, seen: boolean): void {
    if (seen) {
      this._views.add(view);
    } else {
      this._views.delete(view);
    }
    this._follow();
  }

  open(): void {
    this._open();
  }

  get followed(): Followed | null {
    return this._tracker.followed;
  }

  get followedChanged(): ISignal<unknown, void> {
    return this._tracker.changed;
  }

  /** What the views may ask for. */
  get actions(): IPanelActions {
    return this._actions;
  }

  /** Whether compiles are counted for the status bar while the panel is closed. */
  get counts(): boolean {
    return this._counted;
  }

  /** Emitted when there begins or ceases to be something to count. */
  get countsChanged(): ISignal<this, void> {
    return this._countsChanged;
  }

  count(counted: boolean): void {
    this._counted = counted;
    this._follow();
    this._countsChanged.emit();
  }

  /** Take over which columns the user has set. */
  setColumns(columns: readonly string[]): void {
    this.model.setColumns(columns.filter(isColumn));
  }

  /** What is done with columns that were chosen in the panel itself, to keep them. */
  keepColumns: (columns: readonly ColumnId[]) => void = () => {};

  toggleColumn(column: ColumnId): void {
    const columns = toggled(this.model.state.columns, column);
    this.model.setColumns(columns);
    this.keepColumns(columns);
  }

  /** Show a line of the user's, or say that it is not there any more. */
  async goTo(place: IPlace): Promise<void> {
    const id = place.cell === null ? '' : await this._cellId(place.cell);
    const { followed } = this._tracker;
    const { home } = this.model.state;
    const jumped = followed
      ? await jumpTo(place, followed, this._commands, home, id)
      : 'gone';
    if (jumped === 'gone') {
      this.model.say(
        this._trans.__('That line is not in this document any more.')
      );
    } else if (jumped === 'outside') {
      this.model.say(
        this._trans.__(
          '%1 is not in the folder that is shown here.',
          place.file
        )
      );
    }
  }

  /** The notebook's own id of the cell that ran under a number; empty where the kernel cannot say it, or not soon. */
  private async _cellId(number: number): Promise<string> {
    const soon = new Promise<string>(resolve =>
      setTimeout(() => resolve(''), SOON_MS)
    );
    const told = this.request('cell', { number }).then(
      data => maybeText(data, 'cell_id') ?? '',
      () => ''
    );
    return Promise.race([told, soon]);
  }

  /**
   * Show a row closely that a link speaks of, as soon as the rows are there; or say that it is not among them. `epoch`: the start of
   * the extension that the link is of, if it says so.
   */
  showRow(selection: Selection, epoch: string): void {
    const { model } = this;
    const isReady = (): boolean =>
      model.state.link === 'live' && model.state.functions.size > 0;
    const show = (): void => {
      if (epoch && epoch !== model.state.epoch) {
        model.say(
          this._trans.__('That row belongs to an earlier start of the kernel.')
        );
      } else {
        model.select(selection);
      }
    };
    if (isReady()) {
      show();
      return;
    }
    const end = model.subscribe(() => {
      if (isReady()) {
        end(); // before the model changes again
        show();
      }
    });
    setTimeout(end, 10_000);
  }

  /** Record nothing for a while, or again; the kernel's answer is a snapshot that says so. */
  async pauseRecording(on: boolean): Promise<void> {
    if ((await this.ask('pause', { on })) && !on) {
      this.model.say(
        this._trans.__(
          'Recording again. Calls made during the pause are not counted.'
        )
      );
    }
  }

  /** Ask the kernel; what it cannot do it says in one line, which is shown. */
  async ask(
    op: string,
    args: { [key: string]: number | string | boolean } = {}
  ): Promise<IReply['data'] | null> {
    const slow = setTimeout(
      () =>
        this.model.say(
          this._trans.__(
            'The kernel has not answered yet; it is done as soon as it does.'
          )
        ),
      SLOW_MS
    );
    try {
      return await this.request(op, args);
    } catch (error) {
      this.model.say((error as Error).message);
      return null;
    } finally {
      clearTimeout(slow);
    }
  }

  async request(
    op: string,
    args: IRequest['args'],
    when: IWhen = {}
  ): Promise<IReply['data']> {
    if (!this._link) {
      throw new Error(this._trans.__('There is no kernel to ask.'));
    }
    return this._link.request(op, args, when);
  }

  get seen(): boolean {
    return this.isVisible || this._views.size > 0;
  }

  get seenChanged(): ISignal<unknown, void> {
    return this._seenChanged;
  }

  private _follow(): void {
    const kernel = this._tracker.kernel;
    const counting = !this.seen;
    if (counting !== this._counting) {
      this._counting = counting;
      this._seenChanged.emit();
    }
    this.model.setSource(this._tracker.source);
    if (kernel === null) {
      this._unlink();
      this._shown = null;
      this.model.clear('none');
    } else if (counting && !this._counted) {
      this._unlink();
    } else if (kernel === this._kernel) {
      this._link?.want(counting);
    } else {
      this._unlink();
      if (kernel !== this._shown) {
        // of the same kernel the rows stay until its snapshot replaces them: a panel that was hidden comes back as it was
        this._shown = kernel;
        this.model.clear('connecting');
      }
      this._kernel = kernel;
      this._link = new KernelLink(kernel, this.model, counting);
    }
  }

  private _unlink(): void {
    this._link?.dispose();
    this._link = null;
    this._kernel = null;
  }

  private readonly _actions: IPanelActions = {
    load: async () => {
      const followed = this._tracker.followed;
      if (followed) {
        await loadExtension(followed);
      }
    },
    interrupt: async () => {
      await this._kernel?.interrupt();
    },
    goTo: place => this.goTo(place),
    ...questions((op, args) => this.request(op, args)),
    roll: async entry => {
      const { epoch } = this.model.state;
      const args = { entry, epoch };
      return parseRolled(await this.request('roll', args, { between: true }));
    },
    apply: async (key, fix, run) => {
      const followed = this._tracker.followed;
      const { epoch } = this.model.state;
      const note = (isThere: boolean): boolean => {
        const isOurs = !this.isDisposed && epoch === this.model.state.epoch;
        if (isOurs) {
          this.model.noteApplied(key, isThere);
        }
        return isOurs;
      };
      return followed
        ? applyFix(fix, followed, run ? runCell : undefined, note)
        : 'changed';
    },
    view: part => this.model.setView(part),
    copy: text => navigator.clipboard.writeText(text),
    resume: () => this.pauseRecording(false),
    leave: () => this._tracker.followed?.panel.activate(),
    showHeat: heat => this.model.showHeat(heat),
    select: selection => this.model.select(selection),
    expand: (functions, open) => this.model.expand(functions, open),
    openProgram: choice => {
      void this._commands.execute(CommandIDs.openProgram, { ...choice });
    },
    openMenu: (element, clientX, clientY) => {
      const init = { bubbles: true, cancelable: true, clientX, clientY };
      element.dispatchEvent(new MouseEvent('contextmenu', init));
    }
  };

  private readonly _trans: TranslationBundle;
  private readonly _cures: IDisposable;
  private _counting = true;
  private _seenChanged = new Signal<this, void>(this);
  private _countsChanged = new Signal<this, void>(this);
  private _counted = false;
  private _kernel: Kernel.IKernelConnection | null = null;
  /** The kernel whose rows the model holds. */
  private _shown: Kernel.IKernelConnection | null = null;
  private _link: KernelLink | null = null;
  /** Other views of the same rows that can be seen. */
  private _views = new Set<unknown>();
}
