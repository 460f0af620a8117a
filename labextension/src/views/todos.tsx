/** What to fix: a card for each trace that fails and for each advice on misses, what saves most first. */
import { caretDownIcon, caretRightIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { IFilter } from '../filter';
import { count, duration, shortened } from '../format';
import { type IDone, type Todo, todos } from '../todo';
import type { IPanelState, Selection } from '../tokens';
import { useDomId, useTrans } from './context';
import { Name } from './name';

export function Todos({
  state,
  filter,
  selected,
  onSelect
}: {
  state: IPanelState;
  filter: IFilter;
  selected: Selection | null;
  onSelect: (selection: Selection) => void;
}): React.JSX.Element | null {
  const trans = useTrans();
  const id = useDomId();
  const [open, setOpen] = React.useState(true);
  const { diagnoses, cures, functions, revision } = state;
  const all = React.useMemo(
    () => todos({ diagnoses, cures, functions, revision }, filter),
    [diagnoses, cures, functions, revision, filter]
  );
  const list = React.useRef<HTMLUListElement>(null);
  // what was chosen by a link in the notebook comes into sight
  React.useEffect(() => {
    list.current
      ?.querySelector('[data-selected]')
      ?.scrollIntoView({ block: 'nearest' });
  }, [selected]);
  if (all.length === 0) {
    return null;
  }
  const left = all.filter(each => each.done === null);
  const saves = left.reduce(
    (sum, each) => sum + (each.kind === 'cure' ? (each.row.saves_s ?? 0) : 0),
    0
  );
  const Caret = open ? caretDownIcon : caretRightIcon;
  return (
    <section className="jp-JitMagic-todos" aria-label={trans.__('What to fix')}>
      <h3 className="jp-JitMagic-sectionHead">
        <button
          type="button"
          aria-expanded={open}
          aria-controls={id}
          onClick={() => setOpen(!open)}
        >
          <Caret.react tag="span" width="14px" height="14px" />
          {trans.__('What to fix')}
          <span className="jp-JitMagic-count">{count(left.length)}</span>
        </button>
        {saves > 0 && (
          <span
            className="jp-JitMagic-quiet"
            title={trans.__('What the advice below would have saved so far')}
          >
            {trans.__('saves %1', duration(saves))}
          </span>
        )}
      </h3>
      <ul id={id} hidden={!open} ref={list} className="jp-JitMagic-cards">
        {all.map(each => {
          const chosen =
            selected?.kind === each.kind && selected.id === each.row.id;
          return (
            <li
              key={each.key}
              className="jp-JitMagic-card"
              data-kind={each.kind}
              data-done={each.done ? true : undefined}
              data-selected={chosen ? true : undefined}
              title={`${each.name}\n${wholeOf(each)}`}
            >
              <Card
                todo={each}
                applied={state.applied.has(each.key)}
                chosen={chosen}
                onSelect={() =>
                  onSelect(
                    each.kind === 'cure'
                      ? { kind: 'cure', id: each.row.id }
                      : { kind: 'advice', id: each.row.id }
                  )
                }
              />
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function Card({
  todo,
  applied,
  chosen,
  onSelect
}: {
  todo: Todo;
  applied: boolean;
  chosen: boolean;
  onSelect: () => void;
}): React.JSX.Element {
  const trans = useTrans();
  const { kind, name, done } = todo;
  const fixable =
    kind === 'advice' ? todo.row.fix !== '' : todo.row.fix !== null;
  const whole = wholeOf(todo);
  return (
    <>
      <span className="jp-JitMagic-cardName">
        <Name name={name} />
      </span>
      {kind === 'cure' && !done && todo.row.before > 0 && (
        <span className="jp-JitMagic-cardCount jp-JitMagic-quiet">
          {trans._n(
            '%2 → %1 compile',
            '%2 → %1 compiles',
            todo.row.after,
            todo.row.before
          )}
        </span>
      )}
      {!done && (
        <span className="jp-JitMagic-cardGain">
          {kind === 'cure' ? (
            trans.__('saves %1', duration(todo.row.saves_s))
          ) : (
            <span className="jp-JitMagic-fault">
              {trans.__('cannot be traced')}
            </span>
          )}
        </span>
      )}
      <span className="jp-JitMagic-cardWhat">
        {done ? (
          <Became done={done} kind={kind} />
        ) : applied ? (
          trans.__('It is in the cell: run it, and then what calls it.')
        ) : kind === 'cure' ? (
          shortened(todo.row.what || whole)
        ) : fixable ? (
          <>
            {trans.__('Fix: %1', todo.row.fix)}
            <span className="jp-JitMagic-quiet">
              {' · '}
              {shortened(whole.replace(/`/g, ''))}
            </span>
          </>
        ) : (
          shortened(whole.replace(/`/g, ''))
        )}
      </span>
      <button
        type="button"
        className="jp-JitMagic-link jp-JitMagic-cardOpen"
        aria-pressed={chosen}
        aria-label={
          fixable
            ? trans.__('See fix of %1', name)
            : trans.__('See advice for %1', name)
        }
        onClick={onSelect}
      >
        <span>{fixable ? trans.__('See fix') : trans.__('See advice')}</span>
      </button>
    </>
  );
}

/** What is wrong, in full. */
function wholeOf(todo: Todo): string {
  return todo.kind === 'cure' ? todo.row.text : todo.row.reason;
}

/** What became of it since: the function was made again, and what was wrong did not come back. */
export function Became({
  done,
  kind
}: {
  done: IDone;
  kind: Todo['kind'];
}): React.JSX.Element {
  const trans = useTrans();
  const since =
    kind === 'cure'
      ? trans.__('no compile for this reason since')
      : trans.__('it is traced now');
  return (
    <span className="jp-JitMagic-done">
      {'✓ '}
      {done.cell === null
        ? trans.__('fixed: %1', since)
        : trans.__('fixed in [%1]: %2', done.cell, since)}
    </span>
  );
}
