/** The widget in the sidebar, and the one place where tracker, connection and model meet. */
import type { ITranslator } from '@jupyterlab/translation';
import { nullTranslator } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { Kernel } from '@jupyterlab/services';
import type { Message } from '@lumino/messaging';
import * as React from 'react';

import { KernelLink } from './connection';
import { jitIcon } from './icon';
import { loadExtension } from './load';
import { PanelModel } from './model';
import { type IPanelActions, PANEL_ID } from './tokens';
import type { SourceTracker } from './tracker';
import { App } from './views/app';

export class JitPanel extends ReactWidget {
  constructor(
    private readonly _tracker: SourceTracker,
    translator?: ITranslator
  ) {
    super();
    this._translator = translator ?? nullTranslator;
    const trans = this._translator.load('jupyter_jitmagic');
    this.id = PANEL_ID;
    this.title.icon = jitIcon;
    this.title.caption = trans.__('JIT caches');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('JIT caches'));
    this.addClass('jp-JitMagic');
    this._tracker.changed.connect(this._follow, this);
  }

  readonly model = new PanelModel();

  /** Nothing is asked of a kernel, and nothing arrives from it, while the panel cannot be seen. */
  get listening(): boolean {
    return this._link !== null;
  }

  dispose(): void {
    if (!this.isDisposed) {
      this._tracker.changed.disconnect(this._follow, this);
      this._unlink();
      super.dispose();
    }
  }

  protected render(): React.JSX.Element {
    return (
      <App
        store={this.model}
        actions={this._actions}
        trans={this._translator.load('jupyter_jitmagic')}
      />
    );
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
    this._unlink();
    super.onBeforeDetach(message);
  }

  private _follow(): void {
    const kernel = this._tracker.kernel;
    this.model.setSource(this._tracker.source);
    if (!this.isVisible) {
      this._unlink();
    } else if (kernel === null) {
      this._unlink();
      this._shown = null;
      this.model.clear('none');
    } else if (kernel !== this._kernel) {
      this._unlink();
      if (kernel !== this._shown) {
        // of the same kernel the rows stay until its snapshot replaces them: a panel that was hidden comes back as it was
        this._shown = kernel;
        this.model.clear('connecting');
      }
      this._kernel = kernel;
      this._link = new KernelLink(kernel, this.model);
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
    }
  };

  private readonly _translator: ITranslator;
  private _kernel: Kernel.IKernelConnection | null = null;
  /** The kernel whose rows the model holds. */
  private _shown: Kernel.IKernelConnection | null = null;
  private _link: KernelLink | null = null;
}
