/** Two programs as a difference: side by side where there is room, else one text with what went above what came. */
import {
  MergeView,
  getChunks,
  goToNextChunk,
  goToPreviousChunk,
  unifiedMergeView
} from '@codemirror/merge';
import { search, searchKeymap } from '@codemirror/search';
import { EditorState, type Extension } from '@codemirror/state';
import { EditorView, keymap, lineNumbers } from '@codemirror/view';
import { jupyterTheme } from '@jupyterlab/codemirror';
import type { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';

import type { IProgram } from '../protocol';
import type { IProgramChoice } from '../tokens';
import { type IProgramHost, KIND_NAMES } from './host';
import { withoutPlaces } from './hlo';
import { language } from './languages';

/** From this width on, in pixels, two stand side by side. */
const WIDE = 800;
const DIFF = { scanLimit: 2000, timeout: 1000 };
const COLLAPSED = { margin: 3, minSize: 8 };

export class ProgramDifference extends Widget {
  constructor(
    private readonly _host: IProgramHost,
    private readonly _choice: IProgramChoice,
    _before: IProgram,
    _now: IProgram,
    private readonly _onChanges: (changes: number) => void
  ) {
    super();
    this._texts = [_before, _now].map(({ text }) =>
      _choice.what === 'hlo' ? withoutPlaces(text) : text
    );
    this.addClass('jp-JitMagicProgram-difference');
    // what is typed in an editor is no shortcut of the notebook's
    this.node.dataset.lmSuppressShortcuts = 'true';
  }

  step(forward: boolean): void {
    const view = this._current;
    if (view) {
      (forward ? goToNextChunk : goToPreviousChunk)(view);
      view.focus();
    }
  }

  dispose(): void {
    this._end();
    super.dispose();
  }

  protected onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this._draw();
  }

  protected onResize(message: Widget.ResizeMessage): void {
    super.onResize(message);
    this._draw();
  }

  protected onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    this._current?.focus();
  }

  private get _current(): EditorView | null {
    return this._pair?.b ?? this._single;
  }

  private _draw(): void {
    const width = this.node.clientWidth;
    const wide = width >= WIDE;
    if (width === 0 || (this._current && wide === (this._pair !== null))) {
      return;
    }
    this._end();
    const { trans } = this._host;
    const { entry, other, what } = this._choice;
    const name = KIND_NAMES[what];
    if (wide) {
      this._pair = new MergeView({
        parent: this.node,
        a: {
          doc: this._texts[0],
          extensions: this._extensions(
            trans.__('%1 of entry %2, before', name, other)
          )
        },
        b: {
          doc: this._texts[1],
          extensions: this._extensions(
            trans.__('%1 of entry %2, now', name, entry)
          )
        },
        collapseUnchanged: COLLAPSED,
        diffConfig: DIFF
      });
    } else {
      this._single = new EditorView({
        parent: this.node,
        doc: this._texts[1],
        extensions: [
          this._extensions(
            trans.__(
              '%1 of entry %2, with what was before in entry %3 above each change',
              name,
              entry,
              other
            )
          ),
          unifiedMergeView({
            original: this._texts[0],
            mergeControls: false,
            collapseUnchanged: COLLAPSED,
            diffConfig: DIFF
          })
        ]
      });
    }
    this._onChanges(
      this._pair?.chunks.length ??
        (this._single && getChunks(this._single.state)?.chunks.length) ??
        0
    );
  }

  private _extensions(label: string): Extension {
    return [
      lineNumbers(),
      language(this._choice.what),
      jupyterTheme,
      EditorState.readOnly.of(true),
      EditorView.contentAttributes.of({ 'aria-label': label }),
      search({ top: true }),
      keymap.of([
        { key: 'F7', run: goToNextChunk },
        { key: 'Shift-F7', run: goToPreviousChunk },
        ...searchKeymap
      ])
    ];
  }

  private _end(): void {
    this._pair?.destroy();
    this._single?.destroy();
    this._pair = this._single = null;
    this.node.textContent = '';
  }

  private readonly _texts: readonly string[];
  private _pair: MergeView | null = null;
  private _single: EditorView | null = null;
}
