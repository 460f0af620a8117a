/** What was concluded from a failed trace, and the fix, shown as a change of the cell before it is put in. */
import * as React from 'react';

import type { ICureRow, IDiagnosisRow, IFix } from '../protocol';
import type { IPanelActions } from '../tokens';
import { useTrans } from './context';
import { Details } from './details';
import { Where } from './where';

export function AdviceDetails({
  height,
  row,
  actions,
  onClose
}: {
  height: number | null;
  row: IDiagnosisRow;
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
  return (
    <Details
      height={height}
      title={row.function}
      label={trans.__('Advice for %1', row.function)}
      onClose={onClose}
    >
      <p className="jp-JitMagic-reason">
        <WithCode text={row.reason} />
      </p>
      {Array.isArray(fixes) ? (
        fixes.map(fix => <Fix key={fix.number} fix={fix} actions={actions} />)
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
  actions
}: {
  fix: IFix;
  actions: IPanelActions;
}): React.JSX.Element {
  const trans = useTrans();
  return (
    <div className="jp-JitMagic-fix">
      <h4>
        {trans.__('Fix %1: %2', fix.number, fix.way)}
        <span className="jp-JitMagic-quiet"> {fix.proof}</span>
      </h4>
      <Diff text={fix.diff} />
      {fix.elsewhere.length > 0 && (
        <p>{trans.__('Also change %1.', fix.elsewhere.join(', '))}</p>
      )}
      {fix.before !== null && fix.after !== null && (
        <Apply change={fix} actions={actions} />
      )}
    </div>
  );
}

/** Put a change into its cell, and say what came of it; the editor's undo takes it back. */
function Apply({
  change,
  actions
}: {
  change: Parameters<IPanelActions['apply']>[0];
  actions: IPanelActions;
}): React.JSX.Element {
  const trans = useTrans();
  const [said, setSaid] = React.useState('');
  return (
    <>
      <button
        type="button"
        className="jp-mod-styled jp-JitMagic-apply"
        onClick={() =>
          void actions
            .apply(change)
            .then(done =>
              setSaid(
                done
                  ? trans.__('It is in the cell. Run the cell again.')
                  : trans.__('The cell has changed since; put it in by hand.')
              )
            )
        }
      >
        {trans.__('Put it into the cell')}
      </button>
      <p role="status" className="jp-JitMagic-quiet">
        {said}
      </p>
    </>
  );
}

/** What would have saved compiles, what that rests on, and the fix where one change in a cell is it. */
export function CureDetails({
  height,
  row,
  actions,
  onClose
}: {
  height: number | null;
  row: ICureRow;
  actions: IPanelActions;
  onClose: () => void;
}): React.JSX.Element {
  const trans = useTrans();
  return (
    <Details
      height={height}
      title={row.name}
      label={trans.__('Advice on the misses of %1', row.name)}
      onClose={onClose}
    >
      <p className="jp-JitMagic-reason">
        <WithCode text={row.text} />.
      </p>
      <p className="jp-JitMagic-quiet">
        {trans.__('Proof: %1.', row.proof)}{' '}
        <Where place={row.place} actions={actions} />
      </p>
      {row.fix && (
        <div className="jp-JitMagic-fix">
          <Diff text={row.fix.diff} />
          <Apply change={row.fix} actions={actions} />
        </div>
      )}
    </Details>
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

/** A change, a line at a time; a sign at each line says what the colour says. */
export function Diff({ text }: { text: string }): React.JSX.Element {
  const trans = useTrans();
  return (
    <pre
      className="jp-JitMagic-code jp-JitMagic-diff"
      tabIndex={0}
      role="group"
      aria-label={trans.__('The change')}
    >
      {text.split('\n').map((line, index) => (
        <span key={index} data-sign={/^[-+]/.test(line) ? line[0] : undefined}>
          {line || ' '}
        </span>
      ))}
    </pre>
  );
}
