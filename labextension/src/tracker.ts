/**
 * Which notebook or console the panel speaks of: the one that was current last. It stays while the user looks at something
 * else (a text file, a terminal), follows renames and kernel switches, and goes when the document is closed.
 */
import type { ISessionContext } from '@jupyterlab/apputils';
import type { ConsolePanel, IConsoleTracker } from '@jupyterlab/console';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { Kernel } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';
import type { Widget } from '@lumino/widgets';

import type { ISource } from './tokens';

export type Followed =
  | { readonly kind: 'notebook'; readonly panel: NotebookPanel }
  | { readonly kind: 'console'; readonly panel: ConsolePanel };

export class SourceTracker implements IDisposable {
  constructor(
    private readonly _notebooks: INotebookTracker | null,
    private readonly _consoles: IConsoleTracker | null
  ) {
    _notebooks?.currentChanged.connect(this._onCurrent, this);
    _consoles?.currentChanged.connect(this._onCurrent, this);
    const panel = _notebooks?.currentWidget ?? _consoles?.currentWidget ?? null;
    if (panel) {
      this._follow(panel);
    }
  }

  /** Emitted when the document, its name or its kernel changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get followed(): Followed | null {
    return this._followed;
  }

  get source(): ISource | null {
    if (!this._followed) {
      return null;
    }
    const { kind, panel } = this._followed;
    return {
      kind,
      name: panel.title.label,
      path: panel.sessionContext.path
    };
  }

  get kernel(): Kernel.IKernelConnection | null {
    const session = this._session?.session;
    return session && !session.isDisposed ? (session.kernel ?? null) : null;
  }

  get isDisposed(): boolean {
    return this._disposed;
  }

  /** The shell's current widget changed: follow it if it is one of ours. */
  see(widget: Widget | null): void {
    if (widget && widget !== this._followed?.panel && this._kind(widget)) {
      this._follow(widget as NotebookPanel | ConsolePanel);
    }
  }

  dispose(): void {
    if (!this._disposed) {
      this._disposed = true;
      this._unfollow();
      this._notebooks?.currentChanged.disconnect(this._onCurrent, this);
      this._consoles?.currentChanged.disconnect(this._onCurrent, this);
      Signal.clearData(this);
    }
  }

  private _kind(widget: Widget): 'notebook' | 'console' | null {
    if (this._notebooks?.has(widget)) {
      return 'notebook';
    }
    return this._consoles?.has(widget) ? 'console' : null;
  }

  private _onCurrent(
    _: unknown,
    panel: NotebookPanel | ConsolePanel | null
  ): void {
    if (panel) {
      this._follow(panel);
    }
  }

  private _follow(panel: NotebookPanel | ConsolePanel): void {
    const kind = this._kind(panel);
    if (kind === null || panel === this._followed?.panel) {
      return;
    }
    this._unfollow();
    this._followed = { kind, panel } as Followed;
    this._session = panel.sessionContext;
    this._session.kernelChanged.connect(this._tell, this);
    this._session.propertyChanged.connect(this._tell, this);
    panel.title.changed.connect(this._tell, this);
    panel.disposed.connect(this._onClosed, this);
    this._tell();
  }

  private _unfollow(): void {
    const panel = this._followed?.panel;
    if (!panel) {
      return;
    }
    this._session?.kernelChanged.disconnect(this._tell, this);
    this._session?.propertyChanged.disconnect(this._tell, this);
    panel.title.changed.disconnect(this._tell, this);
    panel.disposed.disconnect(this._onClosed, this);
    this._followed = null;
    this._session = null;
  }

  private _onClosed(): void {
    this._unfollow();
    const next =
      this._notebooks?.currentWidget ?? this._consoles?.currentWidget ?? null;
    if (next && !next.isDisposed) {
      this._follow(next);
    }
    this._tell();
  }

  private _tell(): void {
    this._changed.emit();
  }

  private _changed = new Signal<this, void>(this);
  private _followed: Followed | null = null;
  private _session: ISessionContext | null = null;
  private _disposed = false;
}
