import * as React from 'react';

import { jitIcon } from '../icon';
import { type IPanelActions, type IPanelState, LOAD_LINE } from '../tokens';
import { useTrans } from './context';
import { useSlow } from './hooks';
import { linkWords } from './words';

const EXAMPLE = '%%jit\ndef scale(x, n):\n    return x * n';

/** What there is to say, and the one thing to do, while there are no rows. */
export function Empty({
  state,
  actions
}: {
  state: IPanelState;
  actions: IPanelActions;
}): React.JSX.Element {
  const trans = useTrans();
  const slow = useSlow(state.link === 'connecting', 400);
  const [loading, setLoading] = React.useState(false);
  let title = linkWords(trans, state.link);
  let body: React.ReactNode = null;
  switch (state.link) {
    case 'none':
      title = state.source
        ? trans.__('No kernel')
        : trans.__('Open a notebook or console');
      body = state.source
        ? trans.__('Start a kernel to see what it has compiled.')
        : trans.__('Its jit caches are shown here, live.');
      break;
    case 'foreign':
      title = trans.__('Not a Python kernel');
      body = trans.__('JAX runs in Python kernels only.');
      break;
    case 'connecting':
      title = slow ? title : '';
      break;
    case 'waiting':
      // below a cell it is the front end that decides when the kernel hears
      body = state.source
        ? trans.__(
            'Only then can the kernel answer. With ipykernel 7 or newer it answers at once.'
          )
        : trans.__('Only then can the kernel answer.');
      break;
    case 'unloaded':
      title = trans.__('jupyter_jitmagic is not loaded');
      body = (
        <>
          <p>
            {trans.__(
              'Load it in this kernel to see every trace, compile and cache hit.'
            )}
          </p>
          <code className="jp-JitMagic-code">{LOAD_LINE}</code>
          {actions.load && (
            <button
              type="button"
              className="jp-mod-styled jp-mod-accept jp-JitMagic-load"
              disabled={loading}
              onClick={() => {
                setLoading(true);
                void actions.load?.().finally(() => setLoading(false));
              }}
            >
              {loading ? trans.__('Running…') : trans.__('Load it in a cell')}
            </button>
          )}
        </>
      );
      break;
    case 'newer':
      title = trans.__('Update the panel');
      body = trans.__(
        "This kernel's jupyter_jitmagic is newer than JupyterLab's. Update jupyter-jitmagic where JupyterLab is installed, then reload the page."
      );
      break;
    case 'live':
      title = trans.__('Nothing jitted yet');
      body = (
        <>
          <p>
            {trans.__(
              'Put %1 over a cell with a function, and call it.',
              '%%jit'
            )}
          </p>
          <pre className="jp-JitMagic-code">{EXAMPLE}</pre>
        </>
      );
      break;
    case 'lost':
      body = trans.__(
        'It is shown again as soon as the kernel can be reached.'
      );
      break;
    case 'dead':
      body = trans.__('Restart it to go on.');
      break;
  }
  return (
    <div className="jp-JitMagic-empty" role="status" data-state={state.link}>
      {title && (
        <>
          <jitIcon.react
            tag="span"
            className="jp-JitMagic-emptyIcon"
            width="40px"
            height="40px"
            aria-hidden
          />
          <h3>{title}</h3>
          {typeof body === 'string' ? <p>{body}</p> : body}
        </>
      )}
    </div>
  );
}
