/** An entry beside another one of its function: what changed first, what is equal folded. */
import * as React from 'react';

import { compareRows } from '../compare';
import { UNKNOWN, shortened } from '../format';
import type { IComparison, IEntryRow } from '../protocol';
import type { IPanelActions } from '../tokens';
import { Unanswered, useAnswer } from './answer';
import { EntryOptions } from './choice';
import { useTrans } from './context';
import { causeWord } from './words';

/** So much of the names of equal arguments is shown while they are folded. */
const NAMES = 80;

export function Differs({
  entry,
  others,
  names,
  actions
}: {
  entry: IEntryRow;
  others: readonly IEntryRow[];
  /** What the entries of this function are told apart by. */
  names: readonly string[];
  actions: IPanelActions;
}): React.JSX.Element {
  const trans = useTrans();
  // the one before it, with which its miss was explained
  const before =
    [...others].reverse().find(other => other.id < entry.id) ?? others[0];
  const [chosen, setChosen] = React.useState(before?.id);
  const other = others.find(each => each.id === chosen) ?? before;
  if (!other) {
    return <p>{trans.__('There is no other entry of this function.')}</p>;
  }
  return (
    <>
      <select
        className="jp-mod-styled jp-JitMagic-select"
        aria-label={trans.__('Compare with')}
        value={other.id}
        onChange={event => setChosen(Number(event.target.value))}
      >
        <EntryOptions entries={others} names={names} />
      </select>
      {actions.openProgram && (
        <button
          type="button"
          className="jp-JitMagic-link"
          title={trans.__('In a tab: jaxpr, StableHLO or HLO of both')}
          onClick={() =>
            actions.openProgram?.({
              entry: entry.id,
              other: other.id,
              what: 'jaxpr'
            })
          }
        >
          {trans.__('Compare their programs')}
        </button>
      )}
      <Found
        key={other.id}
        entry={entry}
        other={other}
        names={names}
        actions={actions}
      />
    </>
  );
}

function Found({
  entry,
  other,
  names,
  actions
}: {
  entry: IEntryRow;
  other: IEntryRow;
  names: readonly string[];
  actions: IPanelActions;
}): React.JSX.Element {
  const answer = useAnswer(
    () => actions.compare(entry.id, other.id),
    // rows are replaced with every hit: what the two were compiled for is not
    [actions, entry.id, other.id]
  );
  const { found } = answer;
  return found === null ? (
    <Unanswered answer={answer} />
  ) : (
    <Comparison
      found={
        found instanceof Error
          ? // it knows one of them no more: the rows still tell what they were told apart by
            compareRows(entry, other, names)
          : found
      }
    />
  );
}

function Comparison({ found }: { found: IComparison }): React.JSX.Element {
  const trans = useTrans();
  const { changed, same } = found;
  return (
    <>
      {changed.length > 0 ? (
        <div
          className="jp-JitMagic-compareBox"
          tabIndex={0}
          role="group"
          aria-label={trans.__('What differs')}
        >
          <table className="jp-JitMagic-compare" data-differs>
            <thead>
              <tr>
                <th scope="col">{trans.__('argument')}</th>
                <th scope="col">{trans.__('now')}</th>
                <th scope="col">{trans.__('before')}</th>
                <th scope="col">{trans.__('cause')}</th>
              </tr>
            </thead>
            <tbody>
              {changed.map((row, index) => (
                <tr key={index}>
                  <th scope="row">{shortened(row.what) || UNKNOWN}</th>
                  <td data-label={trans.__('now')}>
                    {shortened(row.now) || UNKNOWN}
                  </td>
                  <td data-label={trans.__('before')}>
                    {shortened(row.before) || UNKNOWN}
                  </td>
                  <td className="jp-JitMagic-causeWord">
                    {row.cause && causeWord(trans, row.cause)}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : (
        <p>
          {trans.__(
            'Nothing that JAX compares differs: the cache was cleared, or the function made again.'
          )}
        </p>
      )}
      {same.length > 0 && (
        <details className="jp-JitMagic-same">
          <summary>
            {trans._n('%1 equal', '%1 equal', same.length)}
            <span className="jp-JitMagic-quiet">
              {' '}
              {shortened(same.map(({ what }) => what).join(', '), NAMES)}
            </span>
          </summary>
          <dl className="jp-JitMagic-statics">
            {same.map(({ what, now }) => (
              <React.Fragment key={what}>
                <dt>{shortened(what)}</dt>
                <dd>{shortened(now)}</dd>
              </React.Fragment>
            ))}
          </dl>
        </details>
      )}
    </>
  );
}
