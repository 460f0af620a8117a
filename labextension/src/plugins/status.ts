/** Compiles counted in the status bar. */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { IJitPanel } from '../jitpanel';
import { StatusItem } from '../status';
import { followSettings } from './settings';

export const statusPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-jitmagic:status',
  description: 'How often JAX has compiled, in the status bar.',
  autoStart: true,
  requires: [IJitPanel],
  optional: [IStatusBar, ISettingRegistry, ITranslator], // Notebook 7 has no status bar
  activate: (
    _: JupyterFrontEnd,
    panel: IJitPanel,
    statusBar: IStatusBar | null,
    settings: ISettingRegistry | null,
    translator: ITranslator | null
  ): void => {
    if (!statusBar) {
      return;
    }
    const trans = (translator ?? nullTranslator).load('jupyter_jitmagic');
    statusBar.registerStatusItem('jupyter-jitmagic:status', {
      item: new StatusItem(panel.model, trans, () => panel.open()),
      align: 'left',
      rank: 3,
      isActive: () => panel.model.state.link === 'live' && panel.counts,
      activeStateChanged: panel.countsChanged
    });
    void followSettings(settings, ({ composite }) =>
      panel.count(composite.statusBar === true)
    );
  }
};
