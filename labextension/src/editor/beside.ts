/** The one extension of ours in the editors of cells: draws what it is told stands beside the lines, and nothing else. */
import { type Extension, RangeSetBuilder } from '@codemirror/state';
import {
  Decoration,
  type DecorationSet,
  type EditorView,
  ViewPlugin,
  type ViewUpdate,
  WidgetType
} from '@codemirror/view';

import type { IWarmLine } from './marks';

/** A mark as it is drawn. */
export interface IDrawnMark {
  readonly line: number;
  readonly text: string;
  readonly title: string;
  readonly open: () => void;
}

export interface IBeside {
  readonly marks: readonly IDrawnMark[];
  readonly heat: readonly IWarmLine[];
}

/** What stands beside the lines of one editor, and when that may be something else. */
export interface IBesideSource {
  read(): IBeside;
  subscribe(listener: () => void): () => void;
}

export function beside(source: IBesideSource): Extension {
  return ViewPlugin.fromClass(
    class {
      constructor(private readonly _view: EditorView) {
        this._look();
        this._end = source.subscribe(() => this._ask());
      }

      decorations: DecorationSet = Decoration.none;

      update(update: ViewUpdate): void {
        if (update.docChanged) {
          // it was told of another text; this one may be what ran, too, as after undo
          this.decorations = Decoration.none;
          this._drawn = '';
          this._ask();
        }
      }

      destroy(): void {
        clearTimeout(this._timer);
        this._end();
      }

      /** After this update of the editor, in the midst of which it may be. */
      private _ask(): void {
        clearTimeout(this._timer);
        this._timer = setTimeout(() => {
          if (this._look()) {
            this._view.dispatch({});
          }
        });
      }

      /** Whether something else is to be drawn. */
      private _look(): boolean {
        const found = source.read();
        const drawn =
          found.marks.length + found.heat.length > 0
            ? JSON.stringify(found)
            : '';
        if (drawn === this._drawn) {
          return false;
        }
        this._drawn = drawn;
        this.decorations = decorated(this._view, found);
        return true;
      }

      private _drawn = '';
      private _timer: ReturnType<typeof setTimeout> | undefined;
      private readonly _end: () => void;
    },
    { decorations: plugin => plugin.decorations }
  );
}

function decorated(view: EditorView, { marks, heat }: IBeside): DecorationSet {
  const { doc } = view.state;
  const warm = new Map(heat.map(each => [each.line, each]));
  const marked = new Map(marks.map(each => [each.line, each]));
  const builder = new RangeSetBuilder<Decoration>();
  for (let number = 1; number <= doc.lines; number++) {
    const line = doc.line(number);
    const heated = warm.get(number);
    const mark = marked.get(number);
    if (heated) {
      builder.add(line.from, line.from, heatOf(heated));
    }
    if (mark) {
      const widget = new MarkWidget(mark);
      builder.add(line.to, line.to, Decoration.widget({ widget, side: 1 }));
    }
  }
  return builder.finish();
}

function heatOf({ share, of, heat }: IWarmLine): Decoration {
  return Decoration.line({
    class: 'jp-JitMagicHeat',
    attributes: {
      'data-share': share,
      title: `${of}: ${share}`,
      style: `--jitmagic-heat: ${Math.max(0, Math.min(1, heat))}`
    }
  });
}

class MarkWidget extends WidgetType {
  constructor(private readonly _mark: IDrawnMark) {
    super();
  }

  eq({ _mark: { line, text, title } }: MarkWidget): boolean {
    const mine = this._mark;
    return mine.line === line && mine.text === text && mine.title === title;
  }

  toDOM(): HTMLElement {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'jp-JitMagicMark';
    button.textContent = this._mark.text;
    button.title = this._mark.title;
    // the cursor stays where it is, and the Tab key indents
    button.tabIndex = -1;
    button.addEventListener('mousedown', event => event.preventDefault());
    button.addEventListener('click', () => this._mark.open());
    return button;
  }

  ignoreEvent(): boolean {
    return true;
  }
}
