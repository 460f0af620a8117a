/** What compiled outside `jm.jit`: plain `jax.jit`, libraries, JAX's own operations; each with the line that called. */
import * as React from 'react';

import { type IFilter, fits, hasWords } from '../filter';
import { count, duration, shortened } from '../format';
import type { IOtherRow } from '../protocol';
import type { IPanelActions, IPanelState } from '../tokens';
import { useDomId, useTrans } from './context';
import { FoldHead } from './fold';
import { useLaidOut } from './layout';
import { Name } from './name';
import { Where } from './where';
import { causeSentences } from './words';

/** So many are listed, the dearest. */
const LISTED = 100;

export function Others({
  state,
  filter,
  actions
}: {
  state: IPanelState;
  filter: IFilter;
  actions: IPanelActions;
}): React.JSX.Element | null {
  const trans = useTrans();
  const id = useDomId();
  const [open, setOpen] = useLaidOut<boolean>(state, actions, 'others', false);
  const { others } = state;
  const shown = React.useMemo(
    () =>
      others
        .filter(
          row =>
            fits(filter, row.function, row.cost_s, () =>
              row.causes.map(({ cause }) => cause)
            ) && hasWords(filter, row.function, row.module)
        )
        .sort((a, b) => rank(a) - rank(b) || (b.cost_s ?? 0) - (a.cost_s ?? 0)),
    [others, filter]
  );
  if (others.length === 0) {
    return null;
  }
  const [compiles, cost] = shown.reduce(
    ([times, seconds], row) => [
      times + row.compiles,
      seconds + (row.cost_s ?? 0)
    ],
    [0, 0]
  );
  return (
    <section
      className="jp-JitMagic-others"
      data-open={open ? true : undefined}
      aria-label={trans.__('Other compiles')}
    >
      <FoldHead
        open={open}
        onOpen={setOpen}
        controls={id}
        title={trans.__(
          'What is not under %1: plain jax.jit, libraries, single operations',
          'jm.jit'
        )}
        label={
          <>
            {trans.__('Other compiles')}
            <span className="jp-JitMagic-count">{count(compiles)}</span>
          </>
        }
      >
        <span
          className="jp-JitMagic-quiet"
          title={trans.__('Time spent tracing, lowering and compiling')}
        >
          {duration(cost)}
        </span>
      </FoldHead>
      <div
        id={id}
        hidden={!open}
        className="jp-JitMagic-otherList"
        role="group"
        aria-label={trans.__(
          'Other compiles: your own functions, libraries, JAX'
        )}
        tabIndex={0}
      >
        <ul>
          {shown.slice(0, LISTED).map(row => (
            <li key={row.id} className="jp-JitMagic-other">
              <Other row={row} actions={actions} />
            </li>
          ))}
        </ul>
        {shown.length > LISTED && (
          <p className="jp-JitMagic-nothing">
            {trans.__('and %1 that cost less', count(shown.length - LISTED))}
          </p>
        )}
      </div>
    </section>
  );
}

/** First what the user can put under `jm.jit`, then libraries, then what is JAX's own. */
function rank({ module }: IOtherRow): number {
  return module === '__main__' ? 0 : module === 'jax' ? 2 : 1;
}

function Other({
  row,
  actions
}: {
  row: IOtherRow;
  actions: IPanelActions;
}): React.JSX.Element {
  const trans = useTrans();
  const why = causeSentences(trans, row.causes).join('; ');
  const own = row.module === '__main__';
  return (
    <>
      <span
        className="jp-JitMagic-otherName"
        title={`${row.function}\n${row.module}\n${why}`}
      >
        <Name name={row.function} />
        {row.compiles > 1 && (
          <span className="jp-JitMagic-count">×{count(row.compiles)}</span>
        )}
      </span>
      <span className="jp-JitMagic-otherHint jp-JitMagic-quiet">
        {own
          ? trans.__('put it under %1', 'jm.jit')
          : row.module === 'jax'
            ? trans.__('JAX’s own operation')
            : shortened(row.module)}
      </span>
      <span className="jp-JitMagic-missCost">{duration(row.cost_s)}</span>
      <span className="jp-JitMagic-missWhy" title={why}>
        {shortened(why)}
      </span>
      <Where place={row.place} actions={actions} />
    </>
  );
}
