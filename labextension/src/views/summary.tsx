/** One line that says what everything has come to, with a small curve of when it was compiled again. */
import * as React from 'react';

import { count, duration, percent } from '../format';
import type { IPanelState } from '../tokens';
import { BARS, recompileCurve, totals } from '../totals';
import { useTrans } from './context';

export function Summary({
  state
}: {
  state: IPanelState;
}): React.JSX.Element | null {
  const trans = useTrans();
  const { functions, misses, revision } = state;
  const sum = React.useMemo(
    () => totals(functions.values()),
    // the map stays the same object, and changes with the revision
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [functions, revision]
  );
  const curve = React.useMemo(() => recompileCurve(misses), [misses]);
  const parts: [string, string, string][] = [
    [
      'compiles',
      trans._n('%1 compile', '%1 compiles', sum.compiles, count(sum.compiles)),
      trans.__(
        'Calls that traced, lowered or compiled, of all functions under %1',
        'jm.jit'
      )
    ],
    [
      'cost',
      trans.__('cost %1', duration(sum.cost_s)),
      trans.__('Time spent tracing, lowering and compiling')
    ],
    [
      'rate',
      trans.__('%1 hits', percent(sum.rate)),
      trans.__('Share of hits among hits and misses')
    ]
  ];
  if (sum.failed > 0) {
    parts.push([
      'failed',
      trans.__('%1 failed', count(sum.failed)),
      trans.__('Calls that raised')
    ]);
  }
  if (functions.size === 0) {
    return null;
  }
  return (
    <div
      className="jp-JitMagic-summary"
      role="group"
      aria-label={trans.__('In all')}
    >
      {parts.map(([key, text, hint]) => (
        <span key={key} data-part={key} title={hint}>
          {text}
        </span>
      ))}
      {curve.length > 0 && <Curve heights={curve} />}
    </div>
  );
}

/** Bars of one width; the tooltip and screen readers say what they are. */
function Curve({ heights }: { heights: readonly number[] }): React.JSX.Element {
  const trans = useTrans();
  const text = trans.__(
    'What recompiles cost over time, from the first miss to the last'
  );
  return (
    <svg
      className="jp-JitMagic-curve"
      viewBox={`0 0 ${BARS * 3} 14`}
      role="img"
      aria-label={text}
    >
      <title>{text}</title>
      <path className="jp-JitMagic-curveBase" d={`M0 13.5h${BARS * 3}`} />
      {heights.map((height, place) =>
        height > 0 ? (
          <rect
            key={place}
            x={place * 3}
            y={13 - Math.max(1.5, height * 13)}
            width={2}
            height={Math.max(1.5, height * 13)}
          />
        ) : null
      )}
    </svg>
  );
}
