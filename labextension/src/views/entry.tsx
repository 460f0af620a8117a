/** One entry, closely. */
import * as React from 'react';

import { bytes, clock, count, duration } from '../format';
import type { IEntryRow } from '../protocol';
import { useTrans } from './context';
import { Details } from './details';

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
    <Details
      title={name}
      label={trans.__('Entry of %1', name)}
      onClose={onClose}
    >
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
    </Details>
  );
}
