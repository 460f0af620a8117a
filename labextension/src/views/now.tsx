import { checkIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { duration } from '../format';
import { usualTime } from '../model';
import type { INow, IPanelState } from '../tokens';
import { useTrans } from './context';
import { useMoment } from './hooks';
import { phaseWord } from './words';

const PHASES = ['trace', 'lower', 'compile'];

/** What the kernel traces, lowers or compiles at this moment. Nothing while it does not. */
export function NowBar({
  state
}: {
  state: IPanelState;
}): React.JSX.Element | null {
  const trans = useTrans();
  const running = state.link === 'live' ? state.now : [];
  const moment = useMoment(running.length > 0, 100);
  if (running.length === 0) {
    return null;
  }
  return (
    <div
      className="jp-JitMagic-now"
      role="group"
      aria-label={trans.__('Compiling now')}
    >
      {running.map(work => (
        <Work
          key={`${work.thread} ${work.function}`}
          work={work}
          state={state}
          moment={moment}
        />
      ))}
    </div>
  );
}

function Work({
  work,
  state,
  moment
}: {
  work: INow;
  state: IPanelState;
  moment: number;
}): React.JSX.Element {
  const trans = useTrans();
  const usual = usualTime(state.entries.values(), work.function, work.phase);
  const elapsed = Math.max(0, moment - work.since) / 1000;
  return (
    <div className="jp-JitMagic-work">
      <div className="jp-JitMagic-workLine">
        <span className="jp-JitMagic-spinner" aria-hidden="true" />
        <span className="jp-JitMagic-fn" title={work.name}>
          {work.name}
        </span>
        <span className="jp-JitMagic-phase">
          {phaseWord(trans, work.phase)}
        </span>
        {work.phase && (
          <span className="jp-JitMagic-number">{duration(elapsed)}</span>
        )}
        {usual !== null && work.phase && (
          <span className="jp-JitMagic-quiet">
            {trans.__('usually %1', duration(usual))}
          </span>
        )}
      </div>
      <ol className="jp-JitMagic-phases">
        {PHASES.map(phase => {
          const done = work.done.find(other => other.phase === phase);
          const state_ = done
            ? 'done'
            : phase === work.phase
              ? 'running'
              : 'open';
          return (
            <li key={phase} data-phase={state_}>
              {phase}
              {done && (
                <>
                  {' '}
                  <span className="jp-JitMagic-number">
                    {duration(done.duration_s)}
                  </span>
                  <checkIcon.react
                    tag="span"
                    width="12px"
                    height="12px"
                    aria-label={trans.__('done')}
                  />
                </>
              )}
            </li>
          );
        })}
      </ol>
    </div>
  );
}
