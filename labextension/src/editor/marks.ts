/** What is drawn in a notebook's own editor: recompiles beside the line that called, and heat beside the lines of a function. */
import { isRecompile } from '../model';
import type { ILines, IMissRow } from '../protocol';

/** The recompiles that one line caused. */
export interface IMark {
  readonly line: number;
  readonly recompiles: number;
  readonly cost_s: number | null;
  /** The miss that cost most. */
  readonly miss: number;
  /** When the newest of them began, Unix time in seconds; null where it is not known. */
  readonly at: number | null;
}

/** What a line costs, as its table says it: the `share` as it is shown and `of` what, `heat` from 0 to 1. */
export interface IWarmLine {
  readonly line: number;
  readonly share: string;
  readonly of: string;
  readonly heat: number;
}

/** By the number under which a cell ran. */
export type ByCell<Row> = ReadonlyMap<number, readonly Row[]>;

export function marksByCell(misses: readonly IMissRow[]): ByCell<IMark> {
  const found = new Map<number, Map<number, IMissRow[]>>();
  for (const miss of misses) {
    const { cell = null, line = 0 } = miss.call_site ?? {};
    if (cell !== null && isRecompile(miss)) {
      const lines = found.get(cell) ?? new Map<number, IMissRow[]>();
      found.set(cell, lines);
      const before = lines.get(line);
      if (before) {
        before.push(miss);
      } else {
        lines.set(line, [miss]);
      }
    }
  }
  return new Map(
    [...found].map(([cell, lines]) => [
      cell,
      [...lines]
        .map(([line, rows]) => marked(line, rows))
        .sort((one, other) => one.line - other.line)
    ])
  );
}

function marked(line: number, misses: readonly IMissRow[]): IMark {
  let cost_s: number | null = null;
  let at: number | null = null;
  let dearest = misses[0];
  for (const miss of misses) {
    if (miss.cost_s !== null) {
      cost_s = (cost_s ?? 0) + miss.cost_s;
    }
    if ((miss.cost_s ?? 0) > (dearest.cost_s ?? 0)) {
      dearest = miss;
    }
    at = miss.started_s ?? at;
  }
  return { line, recompiles: misses.length, cost_s, miss: dearest.id, at };
}

export function heatByCell(lines: ILines): ByCell<IWarmLine> {
  const found = new Map<number, IWarmLine[]>();
  for (const part of lines.parts) {
    const { place, lines: numbers, rows, heat, columns } = part;
    const { cell = null } = place ?? {};
    if (cell !== null) {
      const warm = found.get(cell) ?? [];
      found.set(cell, warm);
      numbers.forEach((line, at) => {
        if (line !== null && rows[at]?.[0]) {
          warm.push({
            line,
            share: rows[at][0],
            of: columns[0] ?? '',
            heat: heat[at] ?? 0
          });
        }
      });
    }
  }
  return found;
}
