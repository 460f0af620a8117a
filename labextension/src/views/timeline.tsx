/** The timeline: a lane for each function, what it did when; drawn from sums that the kernel makes, whatever the number of calls. */
import * as React from 'react';

import { clock, count, duration, shortened } from '../format';
import type { ITimeline } from '../protocol';
import {
  type Range,
  laneTotals,
  moved,
  toMoment,
  toX,
  within
} from '../timeline';
import type { IPanelActions, IPanelState } from '../tokens';
import { type IAnswer, Unanswered } from './answer';
import { useDomId, useTrans } from './context';
import { FoldHead } from './fold';
import { useWidth } from './hooks';
import { useLaidOut } from './layout';
import { Name } from './name';
import { phaseNoun } from './words';

/** Heights of a lane and of what is drawn in it: one below the other where it is narrow, the name has a line of its own. */
const LANES = {
  beside: { lane: 22, bars: 18 },
  above: { lane: 32, bars: 16 }
};
const HEAD = 16;
/** From this width on the names stand beside the lanes, in a part of it that has room for most of them. */
const BESIDE = 360;
const namesWidth = (width: number): number =>
  width < BESIDE ? 0 : Math.min(170, Math.round(width * 0.3));
/** So many pixels a stretch of time is wide. */
const STRETCH = 3;
/** Not asked for again more often, in milliseconds. */
const PAUSE = 1000;
const PHASES = ['trace', 'lower', 'compile', 'execute'];

export function Timeline({
  state,
  actions,
  opened
}: {
  state: IPanelState;
  actions: IPanelActions;
  /** Whether it is open at first. */
  opened: boolean;
}): React.JSX.Element {
  const trans = useTrans();
  const id = useDomId();
  const [open, setOpen] = useLaidOut(state, actions, 'timeline', opened);
  const { range } = state;
  return (
    <section
      className="jp-JitMagic-timeline"
      data-open={open ? true : undefined}
      aria-label={trans.__('Timeline')}
    >
      <FoldHead
        open={open}
        onOpen={setOpen}
        controls={id}
        label={trans.__('Timeline')}
      >
        {range !== null && (
          <button
            type="button"
            className="jp-JitMagic-link jp-JitMagic-whole"
            title={trans.__(
              'The misses below are those of this stretch of time'
            )}
            onClick={() => actions.view({ range: null })}
          >
            {trans.__(
              '%1, %2: show all',
              clock(range[0]),
              duration(range[1] - range[0])
            )}
          </button>
        )}
      </FoldHead>
      <div id={id} className="jp-JitMagic-lanes" hidden={!open}>
        {open && <Lanes state={state} actions={actions} />}
      </div>
    </section>
  );
}

function Lanes({
  state,
  actions
}: {
  state: IPanelState;
  actions: IPanelActions;
}): React.JSX.Element {
  const trans = useTrans();
  const root = React.useRef<HTMLDivElement>(null);
  const whole = useWidth(root);
  const names = namesWidth(whole);
  const width = whole - names;
  const answer = useTimeline(state, actions, width);
  const { found } = answer;
  if (found === null || found instanceof Error || found.lanes.length === 0) {
    return (
      <div ref={root} className="jp-JitMagic-nothing">
        {found === null || found instanceof Error ? (
          <Unanswered answer={answer} />
        ) : state.misses.length > 0 ? (
          // an answer from before the first call: the next is on its way
          trans.__('Asking the kernel…')
        ) : (
          trans.__('No calls yet.')
        )}
      </div>
    );
  }
  return (
    <div ref={root}>
      <Picture found={found} names={names} width={width} actions={actions} />
      <p className="jp-JitMagic-legend jp-JitMagic-quiet">
        {PHASES.map(phase => (
          <span key={phase} data-phase={phase}>
            {phaseNoun(trans, phase)}
          </span>
        ))}
        <span data-phase="hit">{trans.__('hits')}</span>
        <span data-phase="miss">{trans.__('misses')}</span>
      </p>
      <AsTable found={found} />
    </div>
  );
}

/** The sums for what is shown; asked for again when calls were made, at most once a second. */
function useTimeline(
  state: IPanelState,
  actions: IPanelActions,
  width: number
): IAnswer<ITimeline> {
  const [found, setFound] = React.useState<ITimeline | Error | null>(null);
  const [times, setTimes] = React.useState(0);
  const { range, link, revision } = state;
  const stretches = Math.max(10, Math.floor(width / STRETCH));
  const laidOut = width > 0;
  const asked = React.useRef(0);
  const [from, to] = range ?? [null, null];
  React.useEffect(() => {
    if (link !== 'live' || !laidOut) {
      return;
    }
    let stale = false;
    const wait = Math.max(0, asked.current + PAUSE - performance.now());
    const timer = setTimeout(() => {
      asked.current = performance.now();
      actions
        .timeline(from, to, stretches)
        .then(answer => !stale && setFound(answer))
        // what is drawn already stays
        .catch(
          (error: Error) =>
            !stale &&
            setFound(before =>
              before === null || before instanceof Error ? error : before
            )
        );
    }, wait);
    return () => {
      stale = true;
      clearTimeout(timer);
    };
  }, [actions, link, laidOut, stretches, from, to, revision, times]);
  const again = React.useCallback(() => setTimes(before => before + 1), []);
  return { found, again };
}

function Picture({
  found,
  names,
  width,
  actions
}: {
  found: ITimeline;
  /** Pixels beside the lanes for the names; 0: they stand above them. */
  names: number;
  width: number;
  actions: IPanelActions;
}): React.JSX.Element {
  const trans = useTrans();
  const canvas = React.useRef<HTMLCanvasElement>(null);
  const [brush, setBrush] = React.useState<Range | null>(null);
  const [, drawAgain] = React.useReducer((times: number) => times + 1, 0);
  const { lane: high, bars } = names > 0 ? LANES.beside : LANES.above;
  const height = HEAD + found.lanes.length * high;
  const shown: Range = [found.from_s, found.to_s];
  React.useEffect(() => {
    const node = canvas.current;
    if (node && width > 0) {
      draw(node, found, width, height, high, bars);
    }
  });
  const at = (event: React.PointerEvent): number =>
    event.clientX - event.currentTarget.getBoundingClientRect().left - names;
  const show = (range: Range): void => actions.view({ range });
  const onKeyDown = (event: React.KeyboardEvent): void => {
    const by = {
      ArrowLeft: { shift: -0.25 },
      ArrowRight: { shift: 0.25 },
      '+': { zoom: 0.5 },
      '=': { zoom: 0.5 },
      '-': { zoom: 2 }
    }[event.key];
    if (by) {
      show(moved(shown, found.whole, by));
    } else if (event.key === 'Home') {
      actions.view({ range: null });
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div
      className="jp-JitMagic-picture"
      style={{ height }}
      role="group"
      tabIndex={0}
      aria-label={trans.__(
        'Timeline from %1, %2 long. Plus and minus zoom, the arrows move, Home shows all; the same as a table follows.',
        clock(shown[0]),
        duration(shown[1] - shown[0])
      )}
      title={trans.__('Drag over a stretch of time to look at it closely')}
      onKeyDown={onKeyDown}
      onPointerDown={event => {
        if (event.button === 0) {
          event.currentTarget.setPointerCapture(event.pointerId);
          setBrush([at(event), at(event)]);
        }
      }}
      onPointerMove={event => brush && setBrush([brush[0], at(event)])}
      onPointerCancel={() => setBrush(null)}
      onPointerUp={() => {
        if (brush && Math.abs(brush[1] - brush[0]) > 3) {
          const [from, to] = brush.map(x => toMoment(x, shown, width));
          show(within([from, to], found.whole));
        }
        setBrush(null);
      }}
    >
      <canvas
        ref={canvas}
        style={{ width, height, marginLeft: names }}
        aria-hidden="true"
        onTransitionEnd={drawAgain}
      />
      {found.lanes.map((lane, place) => (
        <span
          key={lane.function}
          className="jp-JitMagic-laneName"
          title={lane.name}
          style={
            names > 0
              ? { top: HEAD + place * high + 6, width: names - 8 }
              : { top: HEAD + place * high + 1, maxWidth: '100%' }
          }
        >
          <Name name={lane.name} />
        </span>
      ))}
      {cellMarks(found, shown, width).map(({ number, x }) => (
        <span
          key={x}
          className="jp-JitMagic-cellMark"
          style={{ left: names + x }}
        >
          [{number}]
        </span>
      ))}
      {brush && (
        <span
          className="jp-JitMagic-brush"
          style={{
            left: names + Math.min(...brush),
            width: Math.abs(brush[1] - brush[0])
          }}
        />
      )}
    </div>
  );
}

/** So many pixels the number of a cell needs. */
const MARK = 26;

/** The numbers of the cells at their begins, as many as have room; of one that began before what is shown, at the edge. */
function cellMarks(
  { cells }: ITimeline,
  shown: Range,
  width: number
): { number: number; x: number }[] {
  const marks: { number: number; x: number }[] = [];
  for (const [number, start, end] of cells) {
    const x = Math.max(0, toX(start, shown, width));
    const wide = Math.min(width, toX(end ?? shown[1], shown, width)) - x;
    const last = marks.at(-1);
    if (x > width - MARK) {
      break;
    }
    if (!last || x - last.x >= MARK) {
      marks.push({ number, x });
    } else if (wide >= MARK) {
      marks[marks.length - 1] = { number, x: last.x }; // of two at one place the one that can be seen
    }
  }
  return marks;
}

/** Colours are the theme's; each phase has a height of its own, too. */
const HEIGHTS: Record<string, number> = {
  trace: 0.45,
  lower: 0.6,
  compile: 0.8,
  execute: 0.3
};

function draw(
  node: HTMLCanvasElement,
  found: ITimeline,
  width: number,
  height: number,
  lane: number,
  bars: number
): void {
  const scale = window.devicePixelRatio || 1;
  node.width = Math.round(width * scale);
  node.height = Math.round(height * scale);
  const pen = node.getContext('2d');
  if (!pen) {
    return;
  }
  const style = getComputedStyle(node);
  const colour = (name: string): string =>
    style.getPropertyValue(`--jitmagic-${name}`).trim() || '#888';
  pen.scale(scale, scale);
  const shown: Range = [found.from_s, found.to_s];
  pen.fillStyle = colour('cell');
  for (const [, start, end] of found.cells) {
    const x = Math.max(0, toX(start, shown, width));
    const right = Math.min(width, toX(end ?? found.to_s, shown, width));
    pen.fillRect(x, 0, Math.max(1, right - x), height);
  }
  const step = width / found.stretches;
  const length = (found.to_s - found.from_s) / found.stretches;
  found.lanes.forEach(({ at, phases, hits, misses }, place) => {
    const foot = HEAD + (place + 1) * lane - 2;
    pen.fillStyle = colour('line');
    pen.fillRect(0, foot + 1, width, 1);
    at.forEach((stretch, index) => {
      const x = stretch * step;
      let from = x;
      for (const phase of PHASES) {
        const seconds = phases[phase]?.[index] ?? 0;
        if (seconds > 0) {
          // what is too short to be seen is seen all the same
          const wide = Math.max(1, Math.min(1, seconds / length) * step);
          const high = (HEIGHTS[phase] ?? 0.5) * bars;
          pen.fillStyle = colour(phase);
          const left = Math.floor(from); // whole pixels: no seams
          pen.fillRect(left, foot - high, Math.ceil(from + wide) - left, high);
          from += phase === 'execute' ? 0 : Math.min(wide, step);
        }
      }
      if (hits[index] > 0) {
        pen.fillStyle = colour('hit');
        pen.fillRect(x, foot - 3, 1, 3);
      }
      if (misses[index] > 0) {
        pen.fillStyle = colour('miss');
        pen.fillRect(x, foot - bars + 1, 2, 4);
      }
    });
  });
}

/** The same for those who cannot see the picture, and for exact numbers. */
function AsTable({ found }: { found: ITimeline }): React.JSX.Element {
  const trans = useTrans();
  return (
    <details
      className="jp-JitMagic-same jp-JitMagic-laneTable"
      onToggle={event => {
        if (event.currentTarget.open) {
          event.currentTarget.scrollIntoView({ block: 'nearest' });
        }
      }}
    >
      <summary>{trans.__('As a table')}</summary>
      <div
        className="jp-JitMagic-compareBox"
        tabIndex={0}
        role="group"
        aria-label={trans.__('The timeline as a table')}
      >
        <table className="jp-JitMagic-compare" data-numbers>
          <thead>
            <tr>
              <th scope="col">{trans.__('function')}</th>
              {PHASES.map(phase => (
                <th key={phase} scope="col">
                  {phase === 'execute'
                    ? trans.__('execute, seen') // of many hits the end is not
                    : phaseNoun(trans, phase)}
                </th>
              ))}
              <th scope="col">{trans.__('hits')}</th>
              <th scope="col">{trans.__('misses')}</th>
            </tr>
          </thead>
          <tbody>
            {found.lanes.map(lane => {
              const { seconds, hits, misses } = laneTotals(lane);
              return (
                <tr key={lane.function}>
                  <th scope="row">{shortened(lane.name)}</th>
                  {PHASES.map(phase => (
                    <td key={phase}>{duration(seconds[phase] || null)}</td>
                  ))}
                  <td>{count(hits)}</td>
                  <td>{count(misses)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </details>
  );
}
