/** What was concluded from a failed trace, and the fix, shown as a change of the cell before it is put in. */
import * as React from 'react';

import { percent } from '../format';
import type { ICureRow, IDiagnosisRow, IFix } from '../protocol';
import { todos } from '../todo';
import type { IPanelActions, IPanelState } from '../tokens';
import { Apply } from './apply';
import { useTrans } from './context';
import { Copy } from './copy';
import { Details } from './details';
import { Diff } from './diff';
import { Became } from './todos';
import { Where } from './where';

export function AdviceDetails({
  height,
  row,
  state,
  actions,
  onClose
}: {
  height: number | null;
  row: IDiagnosisRow;
  state: IPanelState;
  actions: IPanelActions;
  onClose: () => void;
}): React.JSX.Element {
  const trans = useTrans();
  const [fixes, setFixes] = React.useState<readonly IFix[] | string | null>(
    null
  );
  React.useEffect(() => {
    let stale = false;
    actions
      .fixes(row.id)
      .then(found => !stale && setFixes(found))
      .catch((error: Error) => !stale && setFixes(error.message));
    return () => {
      stale = true;
    };
  }, [actions, row.id]);
  const done = todos({ ...state, cures: [] }).find(
    each => each.kind === 'advice' && each.row.id === row.id
  )?.done;
  return (
    <Details
      height={height}
      title={row.function}
      label={trans.__('Advice for %1', row.function)}
      onClose={onClose}
    >
      {done && (
        <p>
          <Became done={done} kind="advice" />
        </p>
      )}
      <p className="jp-JitMagic-reason">
        <WithCode text={row.reason} />
        {row.place && (
          <>
            {' '}
            <Where place={row.place} actions={actions} />
          </>
        )}
      </p>
      {Array.isArray(fixes) ? (
        fixes.map(fix => (
          <Fix
            key={fix.number}
            fix={fix}
            only={fixes.length === 1}
            todo={`d${row.id}`}
            applied={state.applied}
            actions={actions}
          />
        ))
      ) : (
        <>
          {row.static_argnames.length > 0 && (
            <p>{trans.__('Static: %1', row.static_argnames.join(', '))}</p>
          )}
          {row.diff && <Diff text={row.diff} />}
        </>
      )}
    </Details>
  );
}

function Fix({
  fix,
  only,
  todo,
  applied,
  actions
}: {
  fix: IFix;
  /** Whether there is no other. */
  only: boolean;
  /** The key of the advice. */
  todo: string;
  applied: IPanelState['applied'];
  actions: IPanelActions;
}): React.JSX.Element {
  const trans = useTrans();
  return (
    <div className="jp-JitMagic-fix">
      <h4>
        {only
          ? trans.__('Fix: %1', fix.way)
          : trans.__('Fix %1: %2', fix.number, fix.way)}
        <span className="jp-JitMagic-quiet"> {fix.proof}</span>
      </h4>
      <Diff text={fix.diff} />
      {fix.elsewhere.length > 0 && (
        <p>{trans.__('Also change %1.', fix.elsewhere.join(', '))}</p>
      )}
      {fix.before !== null && fix.after !== null && (
        <Apply todo={todo} applied={applied} change={fix} actions={actions} />
      )}
    </div>
  );
}

/** What would have saved compiles, what that rests on, and the change where one in a cell is it. */
export function CureDetails({
  height,
  row,
  state,
  actions,
  onClose
}: {
  height: number | null;
  row: ICureRow;
  state: IPanelState;
  actions: IPanelActions;
  onClose: () => void;
}): React.JSX.Element {
  const trans = useTrans();
  const done = todos({ ...state, diagnoses: [] }).find(
    each => each.kind === 'cure' && each.row.id === row.id
  )?.done;
  return (
    <Details
      height={height}
      title={row.name}
      label={trans.__('Advice on the misses of %1', row.name)}
      onClose={onClose}
    >
      {done && (
        <p>
          <Became done={done} kind="cure" />
        </p>
      )}
      <p className="jp-JitMagic-reason">
        <WithCode text={(row.ladders.length > 0 && row.why) || row.text} />.
      </p>
      <p className="jp-JitMagic-quiet">
        {trans.__('Proof: %1.', row.proof)}{' '}
        <Where place={row.place} actions={actions} />
      </p>
      {row.ladders.length > 0 && (
        <Ladders ladders={row.ladders} before={row.before} />
      )}
      {row.helper && <Helper text={row.helper} actions={actions} />}
      {row.fix && (
        <div className="jp-JitMagic-fix">
          <Diff text={row.fix.diff} />
          <Apply
            todo={`c${row.id}`}
            applied={state.applied}
            change={row.fix}
            actions={actions}
          />
        </div>
      )}
    </Details>
  );
}

/** Padding: fewer compiles, or less of it. */
function Ladders({
  ladders,
  before
}: {
  ladders: ICureRow['ladders'];
  before: number;
}): React.JSX.Element {
  const trans = useTrans();
  return (
    <table className="jp-JitMagic-compare" data-numbers>
      <thead>
        <tr>
          <th scope="col">{trans.__('padded to')}</th>
          <th scope="col">{trans.__('compiles')}</th>
          <th scope="col">{trans.__('padding')}</th>
        </tr>
      </thead>
      <tbody>
        <tr>
          <th scope="row">{trans.__('nothing, as it is')}</th>
          <td>{before}</td>
          <td>{percent(0)}</td>
        </tr>
        {ladders.map(({ steps, compiles, share }) => (
          <tr key={steps}>
            <th scope="row">
              {steps === 1
                ? trans.__('powers of two')
                : trans._n(
                    'and %1 size between',
                    'and %1 sizes between',
                    steps - 1
                  )}
            </th>
            <td>{compiles}</td>
            <td>{percent(share)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Code that the change needs: to copy, as where it is called is for its author to say. */
function Helper({
  text,
  actions
}: {
  text: string;
  actions: IPanelActions;
}): React.JSX.Element {
  const trans = useTrans();
  return (
    <>
      <div className="jp-JitMagic-programHead">
        <span className="jp-JitMagic-quiet">
          {trans.__('Sums, means and the like have to leave out the padding.')}
        </span>
        <Copy text={text} actions={actions} />
      </div>
      <pre className="jp-JitMagic-code">{text}</pre>
    </>
  );
}

/** A sentence in which code stands between backticks. */
function WithCode({ text }: { text: string }): React.JSX.Element {
  return (
    <>
      {text
        .split('`')
        .map((part, index) =>
          index % 2 ? <code key={index}>{part}</code> : part
        )}
    </>
  );
}
