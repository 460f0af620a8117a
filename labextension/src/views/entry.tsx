/** One entry, closely. */
import { closeIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { bytes, clock, count, duration } from '../format';
import type { IEntryRow } from '../protocol';
import { useTrans } from './context';

export function EntryDetails({
  entry,
  name,
  onClose
}: {
  entry: IEntryRow;
  name: string;
  onClose: () => void;
}): React.JSX.Element {
  const trans = useTrans();
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
    <section
      className="jp-JitMagic-details"
      aria-label={trans.__('Entry of %1', name)}
    >
      <h3 className="jp-JitMagic-sectionHead">
        <span className="jp-JitMagic-fn">{name}</span>
        <button
          type="button"
          className="jp-JitMagic-close"
          title={trans.__('Close')}
          aria-label={trans.__('Close')}
          onClick={onClose}
        >
          <closeIcon.react tag="span" width="14px" height="14px" />
        </button>
      </h3>
      <div className="jp-JitMagic-detailsBody" tabIndex={0}>
        <code className="jp-JitMagic-code">{entry.avals || '()'}</code>
        {Object.entries(entry.static).length > 0 && (
          <dl className="jp-JitMagic-statics">
            {Object.entries(entry.static).map(([argument, value]) => (
              <React.Fragment key={argument}>
                <dt>{argument}</dt>
                <dd>{value}</dd>
              </React.Fragment>
            ))}
          </dl>
        )}
        <dl className="jp-JitMagic-facts">
          {facts.map(([label, value]) => (
            <div key={label}>
              <dt>{label}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      </div>
    </section>
  );
}
