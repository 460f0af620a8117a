import { checkIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { duration } from '../format';
import { usualTime } from '../model';
import type { INow, IPanelActions, IPanelState } from '../tokens';
import { useTrans } from './context';
import { useMoment } from './hooks';
import { Name } from './name';
import { phaseWord } from './words';

const PHASES = ['trace', 'lower', 'compile'];

/** What the kernel traces, lowers or compiles at this moment, and for a while what came of an interrupt. */
export function NowBar({
  state,
  actions
}: {
  state: IPanelState;
  actions: IPanelActions;
}): React.JSX.Element | null {
  const trans = useTrans();
  const all = state.link === 'live' ? state.now : [];
  const moment = useMoment(all.length > 0, 100);
  const running = all.filter(work => age(work, moment) >= FROM_MS);
  const [asked, setAsked] = React.useState<IAsked | null>(null);
  // the same function may be compiled again: that is another work, which nobody asked to stop
  const isAsked = (work: INow): boolean =>
    asked !== null &&
    work.function === asked.function &&
    work.thread === asked.thread &&
    begun(work) <= asked.at;
  const over = asked !== null && !all.some(isAsked);
  React.useEffect(() => {
    if (over) {
      const timer = setTimeout(() => setAsked(null), 8000);
      return () => clearTimeout(timer);
    }
  }, [over]);
  if (running.length === 0 && asked === null) {
    return null;
  }
  const stop = (work: INow): void => {
    const misses = missesOf(state, work.function);
    const { function: id, name, thread, phase } = work;
    setAsked({ function: id, name, thread, phase, at: moment, misses });
    actions.interrupt?.().catch((error: unknown) => {
      setAsked(null);
      console.warn('jupyter_jitmagic: the kernel was not interrupted', error);
    });
  };
  let told = '';
  if (asked && !over) {
    told = trans.__('Interrupt asked for; it takes effect when XLA returns.');
  } else if (asked) {
    told =
      missesOf(state, asked.function) > asked.misses
        ? trans.__(
            '%1 was compiled before the interrupt took effect.',
            asked.name
          )
        : trans.__('%1 was interrupted.', asked.name);
  }
  return (
    <div
      className="jp-JitMagic-now"
      role="group"
      aria-label={trans.__('Compiling now')}
    >
      {running.map((work, index) => (
        <Work
          key={`${work.thread} ${work.function}`}
          work={work}
          state={state}
          moment={moment}
          stopped={isAsked(work) ? asked?.phase : undefined}
          onStop={
            actions.interrupt && index === 0 && (asked === null || over)
              ? () => stop(work)
              : undefined
          }
        />
      ))}
      <p className="jp-JitMagic-told" role="status" hidden={!told}>
        {told}
      </p>
    </div>
  );
}

/** So long all phases together must have taken: shorter work would only make the table jump. */
const FROM_MS = 150;

function age(work: INow, moment: number): number {
  const done = work.done.reduce(
    (sum, phase) => sum + (phase.duration_s ?? 0),
    0
  );
  return done * 1000 + moment - work.since;
}

/** When its first phase began, on `performance.now`'s clock, as far as its phases tell. */
function begun(work: INow): number {
  return work.done.reduce(
    (moment, phase) => moment - (phase.duration_s ?? 0) * 1000,
    work.since
  );
}

interface IAsked {
  readonly function: number;
  readonly name: string;
  readonly thread: number;
  /** What ran then. */
  readonly phase: string;
  /** When, on `performance.now`'s clock. */
  readonly at: number;
  /** Its misses when the interrupt was asked for. */
  readonly misses: number;
}

function missesOf(state: IPanelState, functionId: number): number {
  return state.functions.get(functionId)?.misses ?? 0;
}

function Work({
  work,
  state,
  moment,
  stopped,
  onStop
}: {
  work: INow;
  state: IPanelState;
  moment: number;
  /** The phase in which an interrupt was asked for: whether it came to its end is not known. */
  stopped?: string;
  onStop?: () => void;
}): React.JSX.Element {
  const trans = useTrans();
  const usual = usualTime(state.entries.values(), work.function, work.phase);
  const elapsed = Math.max(0, moment - work.since) / 1000;
  return (
    <div className="jp-JitMagic-work">
      <div className="jp-JitMagic-workLine">
        <span className="jp-JitMagic-spinner" aria-hidden="true" />
        <Name name={work.name} title={work.name} />
        <span className="jp-JitMagic-phase">
          {phaseWord(trans, work.phase)}
        </span>
        {onStop && (
          <button
            type="button"
            className="jp-JitMagic-stop"
            title={trans.__(
              'Interrupt the kernel; it takes effect when XLA returns'
            )}
            onClick={onStop}
          >
            {trans.__('Stop')}
          </button>
        )}
      </div>
      <ol className="jp-JitMagic-phases">
        {PHASES.map(phase => {
          const done = work.done.find(other => other.phase === phase);
          const state_ = done
            ? phase === stopped
              ? 'stopped'
              : 'done'
            : phase === work.phase
              ? 'running'
              : 'open';
          return (
            <li key={phase} data-phase={state_}>
              {phase}
              {phase === work.phase && !done && (
                <>
                  {' '}
                  <span className="jp-JitMagic-number">
                    {duration(elapsed)}
                  </span>
                  {usual !== null && (
                    <span className="jp-JitMagic-quiet">
                      {' '}
                      {trans.__('(usually %1)', duration(usual))}
                    </span>
                  )}
                </>
              )}
              {done && (
                <>
                  {' '}
                  <span className="jp-JitMagic-number">
                    {duration(done.duration_s)}
                  </span>
                  {phase !== stopped && (
                    <checkIcon.react
                      tag="span"
                      width="12px"
                      height="12px"
                      aria-label={trans.__('done')}
                    />
                  )}
                </>
              )}
            </li>
          );
        })}
      </ol>
    </div>
  );
}
