/** One program in JupyterLab's own editor: line numbers, colours, its search, and the user's line behind each line. */
import {
  CodeEditor,
  CodeEditorWrapper,
  type IEditorFactoryService
} from '@jupyterlab/codeeditor';
import type { CodeMirrorEditor } from '@jupyterlab/codemirror';
import { RangeSetBuilder } from '@codemirror/state';
import {
  Decoration,
  type DecorationSet,
  EditorView,
  ViewPlugin,
  type ViewUpdate
} from '@codemirror/view';
import type { Extension } from '@codemirror/state';

import type { IPlace, IProgram } from '../protocol';
import type { ProgramKind } from '../tokens';
import { placeText } from '../views/words';
import { type IProgramHost, KIND_NAMES, mimeType } from './host';
import { afterTables } from './hlo';
import { sources } from './sources';

export class ProgramReader extends CodeEditorWrapper {
  constructor(
    host: IProgramHost,
    kind: ProgramKind,
    program: IProgram,
    onLine: (line: number) => void
  ) {
    const { trans, panel } = host;
    const model = new CodeEditor.Model({ mimeType: mimeType(kind) });
    model.sharedModel.setSource(program.text);
    const extensions = [
      sources({
        program,
        short: shortPlace,
        long: place => trans.__('Go to %1', placeText(trans, place)),
        goTo: place => void panel.goTo(place),
        onLine
      }),
      sameSource(program)
    ];
    super({
      factory: factory(host.editors),
      model,
      editorOptions: {
        config: { readOnly: true, lineNumbers: true, lineWrap: false },
        extensions
      }
    });
    this.addClass('jp-JitMagicProgram-reader');
    this.disposed.connect(() => model.dispose());
    const first = kind === 'hlo' ? afterTables(program.text) : 0;
    if (first > 0) {
      // XLA's tables of places come first, and what they say stands beside each line
      const laidOut = new ResizeObserver(() => {
        if (this.node.clientHeight > 0) {
          laidOut.disconnect();
          this._scrollTo(first);
        }
      });
      laidOut.observe(this.node);
    }
    this.editor.host
      .querySelector('.cm-content')
      ?.setAttribute(
        'aria-label',
        trans.__('%1, read only; F12 goes to the source', KIND_NAMES[kind])
      );
  }

  /** Bring a line (from 0) to the top, and the cursor to it. */
  private _scrollTo(line: number): void {
    if (!this.isDisposed) {
      const view = (this.editor as CodeMirrorEditor).editor;
      const { from } = view.state.doc.line(line + 1);
      view.dispatch({
        selection: { anchor: from },
        effects: EditorView.scrollIntoView(from, { y: 'start' })
      });
    }
  }

  /** Put the cursor on a line (from 0), in sight. */
  goToLine(line: number): void {
    const position = { line, column: 0 };
    this.editor.setCursorPosition(position);
    this.editor.revealPosition(position);
    this.editor.focus();
  }
}

function factory(editors: IEditorFactoryService): CodeEditor.Factory {
  return options => editors.newDocumentEditor(options);
}

/** `[3] 12` in a cell, `model.py 12` in a file. */
function shortPlace(place: IPlace): string {
  return place.cell !== null
    ? `[${place.cell}] ${place.line}`
    : `${place.file.split(/[\\/]/).pop()} ${place.line}`;
}

const SAME = Decoration.line({ class: 'jp-JitMagicProgram-same' });

/** Tints the lines that came from the same line of source as the one with the cursor. */
function sameSource(program: IProgram): Extension {
  const made = (view: EditorView): DecorationSet => {
    const { doc, selection } = view.state;
    const wanted = program.at[doc.lineAt(selection.main.head).number - 1] ?? -1;
    const builder = new RangeSetBuilder<Decoration>();
    if (wanted >= 0) {
      for (const { from, to } of view.visibleRanges) {
        const last = doc.lineAt(to).number;
        for (let number = doc.lineAt(from).number; number <= last; number++) {
          if (program.at[number - 1] === wanted) {
            const start = doc.line(number).from;
            builder.add(start, start, SAME);
          }
        }
      }
    }
    return builder.finish();
  };
  return ViewPlugin.fromClass(
    class {
      constructor(view: EditorView) {
        this.decorations = made(view);
      }

      decorations: DecorationSet;

      update(update: ViewUpdate): void {
        if (
          update.selectionSet ||
          update.viewportChanged ||
          update.docChanged
        ) {
          this.decorations = made(update.view);
        }
      }
    },
    { decorations: plugin => plugin.decorations }
  );
}
