/** The table as text, for a message, an issue or a spreadsheet. */
import { NO_FILTER } from './filter';
import { bytes, bytesTogether, duration, durations, percent } from './format';
import { entryLabel, hitRate, tableItems } from './table';
import type { IPanelState } from './tokens';

function everything(state: IPanelState): ReturnType<typeof tableItems> {
  return tableItems(state, {
    filter: NO_FILTER,
    show: 'all',
    sort: null,
    pinned: new Set(),
    expanded: new Set(state.functions.keys())
  });
}

/** Functions and entries as a Markdown table. */
export function asMarkdown(state: IPanelState): string {
  const lines = [
    '| function | entries | hits | misses | hit rate | compile | execute | memory |',
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |'
  ];
  for (const item of everything(state)) {
    const cells =
      item.kind === 'function'
        ? [
            code(item.row.name),
            item.entries,
            item.row.hits,
            item.row.misses,
            percent(hitRate(item.row)),
            duration(item.row.compile_s),
            durations(item.execute),
            bytesTogether(item.memory, item.memoryWhole)
          ]
        : [
            `&emsp;${code(entryLabel(item.row, item.names))}`,
            '',
            item.row.hits,
            '',
            '',
            duration(item.row.compile_s),
            duration(item.row.execute_s),
            bytes(item.memory)
          ];
    lines.push(`| ${cells.join(' | ')} |`);
  }
  return `${lines.join('\n')}\n`;
}

/** Entries, one a line, as comma-separated values; seconds and bytes as plain numbers. */
export function asCsv(state: IPanelState): string {
  const lines = [
    'function,avals,static,transformation,outcome,hits,trace_s,lower_s,compile_s,execute_s,executable_bytes,temp_bytes'
  ];
  for (const row of state.entries.values()) {
    const statics = Object.entries(row.static)
      .map(([name, value]) => `${name}=${value}`)
      .join(' ');
    lines.push(
      [
        state.functions.get(row.function)?.name ?? '',
        row.avals,
        statics,
        row.transformation,
        row.outcome,
        row.hits,
        row.trace_s,
        row.lower_s,
        row.compile_s,
        row.execute_s,
        row.executable_bytes,
        row.temp_bytes
      ]
        .map(quoted)
        .join(',')
    );
  }
  return `${lines.join('\r\n')}\r\n`;
}

function code(text: string): string {
  const safe = text.replace(/\|/g, '\\|').replace(/[\r\n]+/g, ' ');
  const fence = safe.includes('`') ? '``' : '`';
  return `${fence}${safe}${fence}`;
}

function quoted(value: string | number | null): string {
  if (value === null) {
    return '';
  }
  let text = String(value);
  if (typeof value === 'string' && /^[=+\-@\t]/.test(text)) {
    text = `'${text}`; // a spreadsheet would take it for a formula
  }
  return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}
