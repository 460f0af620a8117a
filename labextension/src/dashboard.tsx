/** The panel's rows in a tab of the main area: functions, timeline, misses and details side by side. */
import { MainAreaWidget } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import * as React from 'react';

import { jitIcon } from './icon';
import type { IJitPanel } from './jitpanel';
import { App } from './views/app';

export const DASHBOARD_ID = 'jitmagic-dashboard';

class Dashboard extends ReactWidget {
  constructor(
    private readonly _panel: IJitPanel,
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-JitMagic');
    this.addClass('jp-JitMagic-caches');
    this.addClass('jp-JitMagic-dashboard');
  }

  protected render(): React.JSX.Element {
    return (
      <App
        wide
        store={this._panel.model}
        actions={this._panel.actions}
        trans={this._trans}
      />
    );
  }

  protected onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._panel.watch(this, true);
  }

  protected onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this._panel.watch(this, this.isVisible);
  }

  protected onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this._panel.watch(this, false);
  }

  protected onBeforeDetach(message: Message): void {
    this._panel.watch(this, false);
    super.onBeforeDetach(message);
  }
}

export function newDashboard(
  panel: IJitPanel,
  trans: TranslationBundle
): MainAreaWidget {
  const widget = new MainAreaWidget({ content: new Dashboard(panel, trans) });
  widget.id = DASHBOARD_ID;
  // the area names what is in it "main area content"
  widget.content.node.setAttribute('aria-label', trans.__('JIT dashboard'));
  widget.title.label = trans.__('JIT dashboard');
  widget.title.icon = jitIcon;
  widget.title.closable = true;
  widget.toolbar.hide();
  return widget;
}
