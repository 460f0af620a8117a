/** Beside each line of a program the line of the user's that it came from: in the gutter, and by a key at the cursor. */
import { type Extension, Prec } from '@codemirror/state';
import { EditorView, GutterMarker, gutter, keymap } from '@codemirror/view';

import type { IPlace, IProgram } from '../protocol';

export interface ISourceOptions {
  program: IProgram;
  /** A place in a few letters, as `[3] 12`. */
  short: (place: IPlace) => string;
  /** A place in words, for a tooltip. */
  long: (place: IPlace) => string;
  goTo: (place: IPlace) => void;
  /** The line with the cursor is another one. */
  onLine: (line: number) => void;
}

/** The place behind a line of a program (from 0). */
export function placeAt(program: IProgram, line: number): IPlace | null {
  return program.places[program.at[line] ?? -1] ?? null;
}

class PlaceMarker extends GutterMarker {
  constructor(
    private readonly _text: string,
    private readonly _title: string
  ) {
    super();
  }

  eq(other: PlaceMarker): boolean {
    return other._text === this._text && other._title === this._title;
  }

  toDOM(): Node {
    const node = document.createElement('span');
    node.textContent = this._text;
    node.title = this._title;
    return node;
  }
}

export function sources({
  program,
  short,
  long,
  goTo,
  onLine
}: ISourceOptions): Extension {
  const markers = program.places.map(
    place => new PlaceMarker(short(place), long(place))
  );
  const lineAt = (view: EditorView, position: number): number =>
    view.state.doc.lineAt(position).number - 1;
  const jump = (line: number): boolean => {
    const place = placeAt(program, line);
    if (place) {
      goTo(place);
    }
    return place !== null;
  };
  return [
    program.places.length === 0
      ? []
      : gutter({
          class: 'jp-JitMagicProgram-sources',
          lineMarker: (view, block) => {
            const line = lineAt(view, block.from);
            const place = program.at[line] ?? -1;
            // said once where several lines came from one
            return place !== (program.at[line - 1] ?? -1)
              ? (markers[place] ?? null)
              : null;
          },
          initialSpacer: () =>
            markers.reduce((one, other) =>
              other['_text'].length > one['_text'].length ? other : one
            ),
          domEventHandlers: {
            click: (view, block) => jump(lineAt(view, block.from))
          }
        }),
    Prec.high(
      keymap.of([
        {
          key: 'F12',
          run: view => jump(lineAt(view, view.state.selection.main.head))
        }
      ])
    ),
    EditorView.updateListener.of(update => {
      if (update.selectionSet || update.docChanged) {
        onLine(lineAt(update.view, update.state.selection.main.head));
      }
    })
  ];
}
