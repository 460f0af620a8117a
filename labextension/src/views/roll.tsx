/** A loop that tracing unrolled: how often, and what it would be as one loop of lax, measured when it is asked for. */
import * as React from 'react';

import type { ILines, IRolled } from '../protocol';
import type { IPanelActions, IPanelState } from '../tokens';
import { Apply } from './apply';
import { useTrans } from './context';
import { Diff } from './diff';

export function Roll({
  entry,
  loop,
  applied,
  actions
}: {
  entry: number;
  loop: NonNullable<ILines['loop']>;
  applied: IPanelState['applied'];
  actions: IPanelActions;
}): React.JSX.Element {
  const trans = useTrans();
  const [found, setFound] = React.useState<IRolled | Error | 'asking' | null>(
    null
  );
  const { roll } = actions;
  return (
    <section
      className="jp-JitMagic-roll"
      aria-label={trans.__('The unrolled loop')}
    >
      <p>
        {trans.__(
          'The loop in line %1 was unrolled %2 times.',
          loop.line,
          loop.rounds
        )}
      </p>
      {roll && found === null && (
        <div className="jp-JitMagic-apply">
          <button
            type="button"
            className="jp-mod-styled"
            title={trans.__(
              'Compiles and runs it as it is and as one loop of lax, between cells, with made-up arguments of this entry’s types'
            )}
            onClick={() => {
              setFound('asking');
              roll(entry).then(setFound, setFound);
            }}
          >
            {trans.__('Measure as one loop, and show')}
          </button>
        </div>
      )}
      <div role="status">
        {found === 'asking' && (
          <p className="jp-JitMagic-quiet">
            {trans.__('Measuring, after the running cell, if one runs…')}
          </p>
        )}
        {found instanceof Error && <p>{found.message}</p>}
      </div>
      {found !== null && found !== 'asking' && !(found instanceof Error) && (
        <Rolled
          found={found}
          todo={`r${entry}`}
          applied={applied}
          actions={actions}
        />
      )}
    </section>
  );
}

function Rolled({
  found,
  todo,
  applied,
  actions
}: {
  found: IRolled;
  todo: string;
  applied: IPanelState['applied'];
  actions: IPanelActions;
}): React.JSX.Element {
  const trans = useTrans();
  const { title, good, diff, said, fix } = found;
  const [price, ...rest] = said;
  return (
    <>
      <p>
        <b>{title}</b>{' '}
        {!good && <span>{trans.__('· it compiles or executes slower')}</span>}
      </p>
      <p>{price}</p>
      <Diff text={diff} />
      {fix && (
        <Apply todo={todo} applied={applied} change={fix} actions={actions} />
      )}
      {rest.map(line => (
        <p key={line} className="jp-JitMagic-quiet">
          {line}
        </p>
      ))}
    </>
  );
}
