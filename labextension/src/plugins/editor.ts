/** Marks and heat in the editors of the notebook that the panel follows. */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import type { ICodeCellModel } from '@jupyterlab/cells';
import { IEditorExtensionRegistry } from '@jupyterlab/codemirror';
import type { INotebookModel } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { Throttler } from '@lumino/polling';
import {
  ITranslator,
  nullTranslator,
  type TranslationBundle
} from '@jupyterlab/translation';

import { type IBeside, type IDrawnMark, beside } from '../editor/beside';
import { asCodeCell, canHaveRun, numbersOfOne } from '../editor/cells';
import {
  type ByCell,
  type IMark,
  type IWarmLine,
  heatByCell,
  marksByCell
} from '../editor/marks';
import { duration } from '../format';
import { IJitPanel } from '../jitpanel';
import { CommandIDs } from '../tokens';
import { followSettings } from './settings';

/** When marks are drawn: never, while the rows can be seen anywhere, or always, for which the kernel then sends them. */
type When = 'off' | 'panel' | 'always';

/** Not drawn anew more often. */
const RENEWED_MS = 200;

const NOTHING: IBeside = { marks: [], heat: [] };

export const editorPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-jitmagic:editor',
  description: "Recompiles and heat beside the lines of a notebook's cells.",
  autoStart: true,
  requires: [IJitPanel, IEditorExtensionRegistry],
  optional: [ISettingRegistry, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    panel: IJitPanel,
    editors: IEditorExtensionRegistry,
    settings: ISettingRegistry | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('jupyter_jitmagic');
    const shown = new Beside(panel, trans);
    editors.addExtension({
      name: 'jupyter-jitmagic',
      factory: ({ model }) => {
        const cell = asCodeCell(model);
        return (
          cell && { instance: () => shown.of(cell), reconfigure: () => null }
        );
      }
    });
    void followSettings(settings, ({ composite }) =>
      shown.draw(composite.editorMarks as When)
    );
    app.commands.addCommand(CommandIDs.showLine, {
      label: trans.__('Show the Recompiles of the Line with the Cursor'),
      isEnabled: () => shown.atCursor() !== null,
      execute: () => shown.atCursor()?.open(),
      describedBy: { args: { type: 'object', properties: {} } }
    });
  }
};

/** Works out once for all editors what is drawn, and tells those that are there. */
class Beside {
  constructor(
    private readonly _panel: IJitPanel,
    private readonly _trans: TranslationBundle
  ) {
    let { misses, heat, epoch } = _panel.model.state;
    _panel.model.subscribe(() => {
      const state = _panel.model.state;
      if (
        misses !== state.misses ||
        heat !== state.heat ||
        epoch !== state.epoch
      ) {
        ({ misses, heat, epoch } = state);
        this._renew();
      }
    });
    _panel.seenChanged.connect(() => this._renew());
    _panel.followedChanged.connect(() => this._renew());
  }

  draw(when: When): void {
    this._when = when;
    this._panel.watch(this, when === 'always');
    this._renew();
  }

  /** The extension of one cell's editor. */
  of(cell: ICodeCellModel): ReturnType<typeof beside> {
    return beside({
      read: () => this._read(cell),
      subscribe: listener => {
        const onState = (_: unknown, { name }: { name: string }): void => {
          if (name === 'executionCount') {
            this._renew(); // a number that two have is nobody's
          } else if (name === 'isDirty') {
            listener();
          }
        };
        cell.stateChanged.connect(onState);
        this._listeners.add(listener);
        return () => {
          cell.stateChanged.disconnect(onState);
          this._listeners.delete(listener);
        };
      }
    });
  }

  /** The mark on the line with the cursor. */
  atCursor(): IDrawnMark | null {
    const { followed } = this._panel;
    const active =
      followed?.kind === 'notebook' ? followed.panel.content.activeCell : null;
    const cell = active && asCodeCell(active.model);
    const line = (active?.editor?.getCursorPosition().line ?? -1) + 1;
    return (
      (cell && this._read(cell).marks.find(mark => mark.line === line)) ?? null
    );
  }

  private _read(cell: ICodeCellModel): IBeside {
    const number = cell.executionCount;
    if (number === null || cell.isDirty || !this._isShown(cell, number)) {
      return NOTHING;
    }
    const marks = this._marks.get(number) ?? [];
    const heat = this._heat.get(number) ?? [];
    return {
      marks: marks
        .filter(({ at }) => canHaveRun(cell, at))
        .map(mark => this._drawn(mark)),
      heat
    };
  }

  /** Whether it is the followed notebook's, and the only one there of its number. */
  private _isShown(cell: ICodeCellModel, number: number): boolean {
    return (
      this._notebook !== null &&
      cell.sharedModel.notebook === this._notebook.sharedModel &&
      this._numbers.has(number)
    );
  }

  private _drawn({ line, recompiles, cost_s, miss }: IMark): IDrawnMark {
    const text = this._trans._n(
      '%1 recompile, %2',
      '%1 recompiles, %2',
      recompiles,
      duration(cost_s)
    );
    return {
      line,
      text,
      title: this._trans.__(
        'Calls from this line compiled again. Show the dearest in the panel.'
      ),
      open: () => {
        this._panel.open();
        this._panel.showRow(
          { kind: 'miss', id: miss },
          this._panel.model.state.epoch
        );
      }
    };
  }

  /** In a moment: much may change at once. */
  private _renew(): void {
    void this._renewal.invoke();
  }

  private readonly _renewal = new Throttler(
    () => {
      const { misses, heat } = this._panel.model.state;
      const { followed } = this._panel;
      this._notebook =
        followed?.kind === 'notebook' ? followed.panel.content.model : null;
      this._numbers = numbersOfOne(this._notebook);
      const drawn =
        this._when === 'always' || (this._when === 'panel' && this._panel.seen);
      this._marks = drawn ? marksByCell(misses) : new Map();
      this._heat = heat ? heatByCell(heat.lines) : new Map();
      this._listeners.forEach(listener => listener());
    },
    { limit: RENEWED_MS, edge: 'trailing' }
  );

  private _when: When = 'panel';
  private _notebook: INotebookModel | null = null;
  private _numbers: ReadonlySet<number> = new Set();
  private _marks: ByCell<IMark> = new Map();
  private _heat: ByCell<IWarmLine> = new Map();
  private _listeners = new Set<() => void>();
}
