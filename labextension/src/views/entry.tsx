/** One entry, closely: its times and sizes, how it differs from another, its programs. */
import * as React from 'react';

import { bytes, clock, count, duration } from '../format';
import type { ICalls, IDetail, IEntryRow } from '../protocol';
import { entryLabel } from '../table';
import type {
  DetailKind,
  IPanelActions,
  IPanelState,
  ProgramKind
} from '../tokens';
import { type IAnswer, Unanswered, useAnswer } from './answer';
import { useDomId, useTrans } from './context';
import { Copy } from './copy';
import { Details } from './details';
import { Differs } from './differs';
import { Lines } from './lines';
import { useRowWindow } from './window';

type Tab =
  'summary' | 'differs' | 'lines' | 'jaxpr' | 'stablehlo' | 'hlo' | 'cost';

export function EntryDetails({
  height,
  entry,
  state,
  actions,
  onClose
}: {
  height: number | null;
  entry: IEntryRow;
  state: IPanelState;
  actions: IPanelActions;
  onClose: () => void;
}): React.JSX.Element {
  const trans = useTrans();
  const id = useDomId();
  const [tab, setTab] = React.useState<Tab>('summary');
  const owner = state.functions.get(entry.function);
  const name = owner?.name ?? '';
  const names = owner?.apart ?? [];
  const others = React.useMemo(
    () =>
      [...state.entries.values()].filter(
        other => other.function === entry.function && other.id !== entry.id
      ),
    // a new snapshot or update replaces the rows that changed: what others there are changes with their number only
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [entry.function, entry.id, state.entries, state.entries.size]
  );
  const tabs: [Tab, string][] = [
    ['summary', trans.__('Summary')],
    ...(others.length
      ? [['differs', trans.__('Differs from…')] as [Tab, string]]
      : []),
    ['lines', trans.__('Lines')],
    ['jaxpr', trans.__('jaxpr')],
    ['stablehlo', trans.__('StableHLO')],
    ['hlo', trans.__('HLO')],
    ['cost', trans.__('Cost')]
  ];
  const step = (event: React.KeyboardEvent): void => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (by) {
      const at = tabs.findIndex(([each]) => each === tab);
      const [next] = tabs[(at + by + tabs.length) % tabs.length];
      setTab(next);
      document.getElementById(`${id}-${next}`)?.focus();
      event.preventDefault();
      event.stopPropagation();
    }
  };
  return (
    <Details
      height={height}
      title={name}
      label={trans.__('Entry of %1', name)}
      onClose={onClose}
    >
      <code className="jp-JitMagic-code">{entryLabel(entry, names)}</code>
      <div
        role="tablist"
        className="jp-JitMagic-tabs"
        aria-label={trans.__('What to show of the entry')}
        onKeyDown={step}
      >
        {tabs.map(([each, label]) => (
          <button
            key={each}
            id={`${id}-${each}`}
            type="button"
            role="tab"
            aria-selected={each === tab}
            aria-controls={`${id}-panel`}
            tabIndex={each === tab ? 0 : -1}
            onClick={() => setTab(each)}
          >
            {label}
          </button>
        ))}
      </div>
      <div
        id={`${id}-panel`}
        role="tabpanel"
        aria-labelledby={`${id}-${tab}`}
        className="jp-JitMagic-tab"
      >
        {tab === 'summary' ? (
          <Summary entry={entry} actions={actions} />
        ) : tab === 'differs' ? (
          <Differs
            entry={entry}
            others={others}
            names={names}
            actions={actions}
          />
        ) : tab === 'lines' ? (
          <Lines
            entry={entry.id}
            heat={state.heat}
            applied={state.applied}
            actions={actions}
          />
        ) : tab === 'cost' ? (
          <Cost entry={entry.id} actions={actions} />
        ) : (
          <Program key={tab} entry={entry.id} what={tab} actions={actions} />
        )}
      </div>
    </Details>
  );
}

function Summary({
  entry,
  actions
}: {
  entry: IEntryRow;
  actions: IPanelActions;
}): React.JSX.Element {
  const trans = useTrans();
  // the sizes are worked out when someone asks; the answer comes as a changed row
  React.useEffect(() => {
    if (entry.alive && entry.temp_bytes === null) {
      actions.detail(entry.id, 'memory').catch(() => {
        // the sizes stay unknown, and are shown as such
      });
    }
  }, [actions, entry.id, entry.alive, entry.temp_bytes]);
  const facts: [string, string][] = [
    [trans.__('trace'), duration(entry.trace_s)],
    [trans.__('lower'), duration(entry.lower_s)],
    [
      trans.__('compile'),
      entry.outcome === 'disk_hit'
        ? trans.__('from disk')
        : duration(entry.compile_s)
    ],
    [trans.__('execute'), duration(entry.execute_s)],
    [trans.__('hits'), count(entry.hits)],
    [trans.__('last used'), clock(entry.last_used_s)],
    [trans.__('code'), bytes(entry.executable_bytes)],
    [trans.__('temporaries'), bytes(entry.temp_bytes)],
    [trans.__('arguments'), bytes(entry.argument_bytes)],
    [trans.__('outputs'), bytes(entry.output_bytes)]
  ];
  return (
    <>
      <dl className="jp-JitMagic-facts">
        {facts.map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <Calls entry={entry} actions={actions} />
    </>
  );
}

/** So many measurements are told apart by a dot each. */
const DOTS = 60;

/** The last calls as a line: execution where it was measured. */
function Calls({
  entry,
  actions
}: {
  entry: IEntryRow;
  actions: IPanelActions;
}): React.JSX.Element | null {
  const trans = useTrans();
  const [calls, setCalls] = React.useState<ICalls | null>(null);
  // at most once a second while the entry is being hit
  const beat = Math.floor(entry.last_used_s ?? 0);
  React.useEffect(() => {
    let stale = false;
    actions
      .calls(entry.id)
      .then(found => !stale && setCalls(found))
      .catch(() => !stale && setCalls(null));
    return () => {
      stale = true;
    };
  }, [actions, entry.id, beat]);
  if (!calls) {
    return null;
  }
  const known = calls.execute_s.filter((time): time is number => time !== null);
  if (known.length < 2) {
    return null;
  }
  const low = Math.min(...known);
  const high = Math.max(...known);
  // not every call's execution is measured: those that were stand side by side
  const x = (place: number): number => 3 + (place / (known.length - 1)) * 194;
  const y = (time: number): number =>
    30 - (high > low ? (time - low) / (high - low) : 0.5) * 26;
  const text = trans.__(
    'Execution of the last %1 calls, measured for %2 of them: %3 to %4',
    calls.execute_s.length,
    known.length,
    duration(low),
    duration(high)
  );
  return (
    <figure className="jp-JitMagic-calls">
      <svg
        viewBox="0 0 200 34"
        preserveAspectRatio="none"
        role="img"
        aria-label={text}
      >
        <polyline
          points={known.map((time, at) => `${x(at)},${y(time)}`).join(' ')}
        />
        {known.length <= DOTS && (
          <path
            d={known.map((time, at) => `M${x(at)} ${y(time)}h0`).join('')}
          />
        )}
      </svg>
      <figcaption>{text}</figcaption>
    </figure>
  );
}

function useDetail(
  entry: number,
  what: DetailKind,
  actions: IPanelActions
): IAnswer<IDetail> {
  return useAnswer(() => actions.detail(entry, what), [actions, entry, what]);
}

const LINE_HEIGHT = 16;

/** A program as text; only the lines that are seen are drawn. */
function Program({
  entry,
  what,
  actions
}: {
  entry: number;
  what: ProgramKind;
  actions: IPanelActions;
}): React.JSX.Element {
  const trans = useTrans();
  const answer = useDetail(entry, what, actions);
  const detail = answer.found;
  const text = detail && !(detail instanceof Error) ? detail.text : '';
  const lines = React.useMemo(() => text.split('\n'), [text]);
  const { attach, height, indices } = useRowWindow(lines.length, LINE_HEIGHT);
  if (detail === null || detail instanceof Error) {
    return <Unanswered answer={answer} />;
  }
  return (
    <>
      <div className="jp-JitMagic-programHead">
        <span className="jp-JitMagic-quiet">
          {trans._n('%1 line', '%1 lines', lines.length)}
          {detail.length > text.length &&
            ` ${trans.__('(cut: %1 of %2)', bytes(text.length), bytes(detail.length))}`}
        </span>
        {actions.openProgram && (
          <button
            type="button"
            className="jp-JitMagic-link"
            title={trans.__(
              'In an editor with search, and with the lines of source that it came from'
            )}
            onClick={() => actions.openProgram?.({ entry, other: null, what })}
          >
            {trans.__('Open in a tab')}
          </button>
        )}
        <Copy text={text} actions={actions} />
      </div>
      <div
        className="jp-JitMagic-code jp-JitMagic-program"
        ref={attach}
        tabIndex={0}
        role="group"
        aria-label={what}
      >
        <div className="jp-JitMagic-all" style={{ height }}>
          {indices.map(index => (
            <div
              key={index}
              className="jp-JitMagic-line"
              style={{ transform: `translateY(${index * LINE_HEIGHT}px)` }}
            >
              {lines[index]}
            </div>
          ))}
        </div>
      </div>
    </>
  );
}

/** XLA's estimates, the greatest first. */
function Cost({
  entry,
  actions
}: {
  entry: number;
  actions: IPanelActions;
}): React.JSX.Element {
  const trans = useTrans();
  const answer = useDetail(entry, 'cost', actions);
  const detail = answer.found;
  if (detail === null || detail instanceof Error) {
    return <Unanswered answer={answer} />;
  }
  const rows = Object.entries(detail.values).sort((a, b) => b[1] - a[1]);
  if (rows.length === 0) {
    return <p>{trans.__('XLA gives no costs for this program.')}</p>;
  }
  return (
    <>
      <dl className="jp-JitMagic-facts">
        {rows.map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{/bytes/.test(label) ? bytes(value) : count(value)}</dd>
          </div>
        ))}
      </dl>
      <p className="jp-JitMagic-quiet">
        {trans.__('Estimates by XLA, not measurements.')}
      </p>
    </>
  );
}
