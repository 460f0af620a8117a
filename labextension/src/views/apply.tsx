/** A change is put into its cell, and that is run where it is wanted; what came of it is said. The editor's undo takes it back. */
import * as React from 'react';

import type { IFix } from '../protocol';
import type { Applied, IPanelActions, IPanelState } from '../tokens';
import { useTrans } from './context';
import { Copy } from './copy';

export function Apply({
  todo,
  applied,
  change,
  actions
}: {
  /** The key of the advice. */
  todo: string;
  /** Advice that is in its cell. */
  applied: IPanelState['applied'];
  change: Pick<IFix, 'cell' | 'cellId' | 'before' | 'after'>;
  actions: IPanelActions;
}): React.JSX.Element {
  const trans = useTrans();
  const [came, setCame] = React.useState<Applied | 'run' | null>(null);
  if (!actions.apply) {
    return (
      <p>
        <Copy
          text={change.after ?? ''}
          label={trans.__('Copy the changed cell')}
          actions={actions}
        />
      </p>
    );
  }
  const apply = (run: boolean): void =>
    void actions
      .apply?.(todo, change, run)
      .then(each => setCame(run && each !== 'changed' ? 'run' : each));
  // it was, and is no longer: an undo, or an edit
  const isGone = came !== null && came !== 'changed' && !applied.has(todo);
  const said = {
    changed: trans.__(
      'The cell has changed since, or is gone; put it in by hand.'
    ),
    run: trans.__('The cell was run with it. Run the cell that calls it.'),
    there: trans.__('It is in the cell already. Run the cell.'),
    done: trans.__('It is in the cell. Run the cell again.')
  };
  return (
    <>
      <div className="jp-JitMagic-apply">
        <button
          type="button"
          className="jp-mod-styled jp-mod-accept"
          title={trans.__('Put the change into the cell')}
          onClick={() => apply(false)}
        >
          {trans.__('Apply')}
        </button>
        <button
          type="button"
          className="jp-mod-styled"
          title={trans.__('Put the change into the cell and run the cell')}
          onClick={() => apply(true)}
        >
          {trans.__('Apply and run')}
        </button>
      </div>
      <p role="status" className="jp-JitMagic-quiet">
        {isGone
          ? trans.__('The cell was changed again: it is not in it any more.')
          : came && said[came]}
      </p>
    </>
  );
}
