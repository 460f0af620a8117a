/** The functions of an entry on their own source: each line with what it costs, the hot ones tinted. */
import * as React from 'react';

import type { ILinesPart } from '../protocol';
import type { IHeat, IPanelActions, IPanelState } from '../tokens';
import { Unanswered, useAnswer } from './answer';
import { useTrans } from './context';
import { Roll } from './roll';
import { Where } from './where';

export function Lines({
  entry,
  heat,
  applied,
  actions
}: {
  entry: number;
  /** What is drawn in the notebook's editor. */
  heat: IHeat | null;
  applied: IPanelState['applied'];
  actions: IPanelActions;
}): React.JSX.Element {
  const trans = useTrans();
  const answer = useAnswer(() => actions.lines(entry), [actions, entry]);
  const { found } = answer;
  if (found === null || found instanceof Error) {
    return <Unanswered answer={answer} />;
  }
  const drawn = heat?.entry === entry;
  return (
    <>
      {found.loop && (
        <Roll
          entry={entry}
          loop={found.loop}
          applied={applied}
          actions={actions}
        />
      )}
      {actions.showHeat && found.parts.some(({ place }) => place?.cell) && (
        <label
          className="jp-JitMagic-switch"
          title={trans.__('Until the cell is edited')}
        >
          <input
            type="checkbox"
            checked={drawn}
            onChange={() =>
              actions.showHeat?.(drawn ? null : { entry, lines: found })
            }
          />
          {trans.__('Beside the lines of the cell, too')}
        </label>
      )}
      {found.parts.map((part, at) => (
        <Part key={at} part={part} actions={actions} />
      ))}
      {found.notes.map(note => (
        <p key={note} className="jp-JitMagic-quiet">
          {note}
        </p>
      ))}
    </>
  );
}

/** In a narrow panel the share and the code are seen first; the other figures come behind them. */
function Part({
  part,
  actions
}: {
  part: ILinesPart;
  actions: IPanelActions;
}): React.JSX.Element {
  const trans = useTrans();
  const place = part.place;
  return (
    <section aria-label={part.name}>
      <div className="jp-JitMagic-linesHead">
        <b>{part.name}</b> <Where place={place} actions={actions} />{' '}
        <span className="jp-JitMagic-quiet">{part.beside}</span>
      </div>
      <div
        className="jp-JitMagic-code jp-JitMagic-lines"
        role="group"
        aria-label={trans.__('Lines of %1', part.name)}
        tabIndex={0}
      >
        <table>
          <thead>
            <tr>
              <th scope="col">{trans.__('line')}</th>
              <th scope="col">{part.columns[0]}</th>
              <th scope="col" className="jp-JitMagic-heat">
                {trans.__('code')}
              </th>
              {part.columns.slice(1).map(name => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {part.code.map((code, at) => {
              const line = part.lines[at];
              const heat = { '--jitmagic-heat': part.heat[at] };
              return (
                <tr key={at}>
                  <td>
                    {place && line !== null && actions.goTo ? (
                      <button
                        type="button"
                        className="jp-JitMagic-link"
                        title={trans.__('Go to line %1', line)}
                        tabIndex={-1}
                        onClick={() => void actions.goTo?.({ ...place, line })}
                      >
                        {line}
                      </button>
                    ) : (
                      line
                    )}
                  </td>
                  <td>{part.rows[at]?.[0]}</td>
                  <td
                    className="jp-JitMagic-heat"
                    style={heat as React.CSSProperties}
                  >
                    {code}
                  </td>
                  {part.rows[at]?.slice(1).map((cell, column) => (
                    <td key={column}>{cell}</td>
                  ))}
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </section>
  );
}
