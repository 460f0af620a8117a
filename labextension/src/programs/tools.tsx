/** The bar above a program: which of them, where the line with the cursor came from, what to compare it with. */
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import { bytes, count } from '../format';
import type { IPlace, IProgram } from '../protocol';
import type { ProgramKind } from '../tokens';
import { EntryOptions } from '../views/choice';
import { Translation, useTrans } from '../views/context';
import { Copy } from '../views/copy';
import { placeText } from '../views/words';
import { KINDS, KIND_NAMES } from './host';
import type { IPageState, ProgramPage } from './page';
import { placeAt } from './sources';

export class ProgramTools extends ReactWidget {
  constructor(private readonly _page: ProgramPage) {
    super();
    this.addClass('jp-JitMagic');
    this.addClass('jp-JitMagicProgram-tools');
  }

  protected render(): React.JSX.Element {
    return (
      <Translation.Provider value={this._page.host.trans}>
        <Tools page={this._page} />
      </Translation.Provider>
    );
  }
}

function Tools({ page }: { page: ProgramPage }): React.JSX.Element {
  const trans = useTrans();
  const state = React.useSyncExternalStore(page.subscribe, () => page.state);
  const { choice, program, trouble } = state;
  return (
    <>
      <KindChoice page={page} kind={choice.what} />
      {choice.other === null ? (
        <>
          {program && <Source page={page} state={state} program={program} />}
          <OtherChoice page={page} state={state} />
        </>
      ) : (
        <Steps page={page} state={state} />
      )}
      {program && (
        <Copy text={program.text} actions={page.host.panel.actions} />
      )}
      <span className="jp-JitMagic-quiet" role="status">
        {trouble || (program && choice.other === null && size(trans, program))}
      </span>
    </>
  );
}

function size(
  trans: ReturnType<typeof useTrans>,
  { text, length, at }: IProgram
): string {
  const lines = trans._n('%1 line', '%1 lines', at.length, count(at.length));
  return length > text.length
    ? `${lines} ${trans.__('(cut: %1 of %2)', bytes(text.length), bytes(length))}`
    : lines;
}

function KindChoice({
  page,
  kind
}: {
  page: ProgramPage;
  kind: ProgramKind;
}): React.JSX.Element {
  const trans = useTrans();
  return (
    <span
      className="jp-JitMagic-choice"
      role="group"
      aria-label={trans.__('Which program')}
    >
      {KINDS.map(each => (
        <button
          key={each}
          type="button"
          aria-pressed={each === kind}
          onClick={() => page.choose(each)}
        >
          {KIND_NAMES[each]}
        </button>
      ))}
    </span>
  );
}

/** From the line with the cursor to the user's line, and from one of the user's lines to the program's. */
function Source({
  page,
  state,
  program
}: {
  page: ProgramPage;
  state: IPageState;
  program: IProgram;
}): React.JSX.Element {
  const trans = useTrans();
  const place = placeAt(program, state.line);
  const from = React.useMemo(() => origins(program), [program]);
  if (from.length === 0) {
    return (
      <span className="jp-JitMagic-quiet">
        {trans.__('Its lines of source are not known.')}
      </span>
    );
  }
  return (
    <>
      <select
        className="jp-mod-styled jp-JitMagic-select"
        aria-label={trans.__('Show what came from a line of source')}
        value={program.at[state.line] ?? -1}
        onChange={event => {
          const line = program.at.indexOf(Number(event.target.value));
          if (line >= 0) {
            page.reader?.goToLine(line);
          }
        }}
      >
        <option value={-1} disabled>
          {trans.__('Show what came from…')}
        </option>
        {from.map(({ at, place, lines }) => (
          <option key={at} value={at}>
            {trans._n(
              '%2: %1 line',
              '%2: %1 lines',
              lines,
              placeText(trans, place)
            )}
          </option>
        ))}
      </select>
      {place ? (
        <button
          type="button"
          className="jp-JitMagic-link"
          title={trans.__('The line with the cursor came from there (F12)')}
          onClick={() => void page.host.panel.goTo(place)}
        >
          {trans.__('Go to %1', placeText(trans, place))}
        </button>
      ) : (
        <span className="jp-JitMagic-quiet">
          {trans.__('no source known of this line')}
        </span>
      )}
    </>
  );
}

/** The user's lines in their order, each with the number of the program's lines that came from it. */
function origins(
  program: IProgram
): { at: number; place: IPlace; lines: number }[] {
  const lines = program.places.map(() => 0);
  program.at.forEach(at => {
    if (at >= 0) {
      lines[at] += 1;
    }
  });
  return program.places
    .map((place, at) => ({ at, place, lines: lines[at] }))
    .filter(each => each.lines > 0)
    .sort(
      (one, other) =>
        (one.place.cell ?? Infinity) - (other.place.cell ?? Infinity) ||
        one.place.file.localeCompare(other.place.file) ||
        one.place.line - other.place.line
    );
}

/** The other entries of the same function. */
function OtherChoice({
  page,
  state
}: {
  page: ProgramPage;
  state: IPageState;
}): React.JSX.Element | null {
  const trans = useTrans();
  const { model } = page.host.panel;
  const { entries, functions, epoch } = React.useSyncExternalStore(
    model.subscribe,
    () => model.state
  );
  const { entry, what } = state.choice;
  const owner = entries.get(entry)?.function;
  const others = [...entries.values()].filter(
    row => row.function === owner && row.id !== entry
  );
  if (epoch !== page.epoch || others.length === 0) {
    return null;
  }
  const names = functions.get(owner ?? 0)?.apart ?? [];
  return (
    <select
      className="jp-mod-styled jp-JitMagic-select"
      aria-label={trans.__('Compare with another entry')}
      value=""
      onChange={event =>
        page.host.open({ entry, other: Number(event.target.value), what })
      }
    >
      <option value="" disabled>
        {trans.__('Compare with…')}
      </option>
      <EntryOptions entries={others} names={names} />
    </select>
  );
}

function Steps({
  page,
  state
}: {
  page: ProgramPage;
  state: IPageState;
}): React.JSX.Element {
  const trans = useTrans();
  const { changes } = state;
  return (
    <>
      <span role="status">
        {changes === null
          ? ''
          : changes === 0
            ? trans.__('The two are the same.')
            : trans._n('%1 difference', '%1 differences', changes)}
      </span>
      {changes !== null && changes > 0 && (
        <>
          <button
            type="button"
            className="jp-JitMagic-link"
            title={trans.__('The difference before (Shift F7)')}
            onClick={() => page.step(false)}
          >
            {trans.__('Previous')}
          </button>
          <button
            type="button"
            className="jp-JitMagic-link"
            title={trans.__('The next difference (F7)')}
            onClick={() => page.step(true)}
          >
            {trans.__('Next')}
          </button>
        </>
      )}
    </>
  );
}
