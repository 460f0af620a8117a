/** The kernel's answers to the panel's questions, checked as they arrive. */
import {
  type Fields,
  flag,
  isNumber,
  isObject,
  list,
  maybeNumber,
  maybeText,
  number,
  numbers,
  object,
  place,
  text,
  texts
} from './fields';
import type {
  ICalls,
  IChange,
  IComparison,
  ICureRow,
  IDetail,
  IFix,
  ILines,
  IProgram,
  IRolled,
  ITimeline
} from './protocol';

/** The answer to the question "cures"; what is not one is left out. */
export function parseCures(data: Record<string, unknown>): ICureRow[] {
  return list(data, 'cures').flatMap(item => {
    try {
      return [cureRow(object(item, 'a cure'))];
    } catch {
      return [];
    }
  });
}

/** The answer to the question "fixes". */
export function parseFixes(data: Record<string, unknown>): IFix[] {
  return list(data, 'fixes').map(item => {
    const fields = object(item, 'a fix');
    return {
      number: number(fields, 'number'),
      way: text(fields, 'way'),
      proof: text(fields, 'proof'),
      diff: text(fields, 'diff'),
      cell: maybeNumber(fields, 'cell'),
      cellId: maybeText(fields, 'cell_id') ?? '',
      before: maybeText(fields, 'before'),
      after: maybeText(fields, 'after'),
      elsewhere: texts(fields, 'elsewhere')
    };
  });
}

/** The answer to the question "detail". */
export function parseDetail(data: Record<string, unknown>): IDetail {
  const values = Object.entries(object(data.values ?? {}, 'values'));
  const said = maybeText(data, 'text') ?? '';
  return {
    text: said,
    length: maybeNumber(data, 'length') ?? said.length,
    values: Object.fromEntries(
      values.filter((pair): pair is [string, number] => isNumber(pair[1]))
    )
  };
}

/** The answer to the question "program". */
export function parseProgram(data: Record<string, unknown>): IProgram {
  const said = text(data, 'text');
  const places = list(data, 'places').map(item =>
    place(object(item, 'a place'))
  );
  return {
    text: said,
    length: maybeNumber(data, 'length') ?? said.length,
    places,
    at: list(data, 'at').map(each => (isNumber(each) ? each : -1))
  };
}

/** The answer to the question "lines". */
export function parseLines(data: Record<string, unknown>): ILines {
  return {
    parts: list(data, 'parts').map(item => {
      const fields = object(item, 'a function');
      const where = fields.place;
      return {
        name: text(fields, 'name'),
        beside: text(fields, 'beside'),
        place: isObject(where) ? place(where) : null,
        columns: texts(fields, 'columns'),
        rows: list(fields, 'rows').map(row =>
          Array.isArray(row) ? row.map(cell => String(cell)) : []
        ),
        lines: list(fields, 'lines').map(line =>
          isNumber(line) ? line : null
        ),
        code: texts(fields, 'code'),
        heat: list(fields, 'heat').map(heat => (isNumber(heat) ? heat : 0))
      };
    }),
    notes: texts(data, 'notes'),
    loop: isObject(data.loop)
      ? { line: number(data.loop, 'line'), rounds: number(data.loop, 'rounds') }
      : null
  };
}

/** The answer to the question "roll". */
export function parseRolled(data: Record<string, unknown>): IRolled {
  return {
    title: text(data, 'title'),
    good: flag(data, 'good'),
    diff: text(data, 'diff'),
    said: texts(data, 'said'),
    fix: isObject(data.fix) ? change(data.fix) : null
  };
}

/** The answer to the question "timeline". */
export function parseTimeline(data: Record<string, unknown>): ITimeline {
  const from_s = number(data, 'from_s');
  const to_s = number(data, 'to_s');
  const phases = texts(data, 'phases');
  const [first, last] = list(data, 'whole').filter(isNumber);
  return {
    from_s,
    to_s,
    whole: [first ?? from_s, last ?? to_s],
    stretches: Math.max(1, number(data, 'stretches')),
    lanes: list(data, 'lanes').map(item => {
      const lane = object(item, 'a lane');
      return {
        function: number(lane, 'function'),
        name: text(lane, 'name'),
        at: numbers(lane, 'at'),
        phases: Object.fromEntries(
          phases.map(phase => [phase, numbers(lane, phase)])
        ),
        hits: numbers(lane, 'hits'),
        misses: numbers(lane, 'misses')
      };
    }),
    cells: list(data, 'cells').flatMap(item => {
      const [cell, start, end] = Array.isArray(item) ? item : [];
      return isNumber(cell) && isNumber(start)
        ? [[cell, start, isNumber(end) ? end : null] as const]
        : [];
    })
  };
}

/** The answer to the question "compare". */
export function parseComparison(data: Record<string, unknown>): IComparison {
  return {
    changed: list(data, 'changed').map(item => {
      const fields = object(item, 'a difference');
      return {
        what: text(fields, 'what'),
        now: text(fields, 'now'),
        before: text(fields, 'before'),
        cause: maybeText(fields, 'cause') ?? ''
      };
    }),
    same: list(data, 'same').map(item => {
      const fields = object(item, 'an equal argument');
      return { what: text(fields, 'what'), now: text(fields, 'now') };
    })
  };
}

/** The answer to the question "calls". */
export function parseCalls(data: Record<string, unknown>): ICalls {
  const numbers = (key: string): (number | null)[] =>
    list(data, key).map(value => (isNumber(value) ? value : null));
  return {
    count: maybeNumber(data, 'count') ?? 0,
    outcome: texts(data, 'outcome'),
    dispatch_s: numbers('dispatch_s'),
    execute_s: numbers('execute_s')
  };
}

function cureRow(fields: Fields): ICureRow {
  return {
    id: text(fields, 'id'),
    function: number(fields, 'function'),
    name: text(fields, 'name'),
    text: text(fields, 'text'),
    proof: text(fields, 'proof'),
    misses: number(fields, 'misses'),
    cost_s: maybeNumber(fields, 'cost_s'),
    what: maybeText(fields, 'what') ?? '',
    why: maybeText(fields, 'why') ?? '',
    before: maybeNumber(fields, 'before') ?? 0,
    after: maybeNumber(fields, 'after') ?? 0,
    saves_s: maybeNumber(fields, 'saves_s'),
    last_s: maybeNumber(fields, 'last_s'),
    ladders: list(fields, 'ladders').map(item => {
      const ladder = object(item, 'a ladder');
      return {
        steps: number(ladder, 'steps'),
        compiles: number(ladder, 'compiles'),
        share: number(ladder, 'share')
      };
    }),
    helper: maybeText(fields, 'helper') ?? '',
    place: isObject(fields.place) ? place(fields.place) : null,
    fix: isObject(fields.fix) ? change(fields.fix) : null
  };
}

function change(fields: Fields): IChange {
  return {
    cell: maybeNumber(fields, 'cell'),
    cellId: maybeText(fields, 'cell_id') ?? '',
    before: text(fields, 'before'),
    after: text(fields, 'after'),
    diff: text(fields, 'diff')
  };
}
