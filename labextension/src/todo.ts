/** What to fix, ranked: traces that fail, then advice on misses by the seconds that it saves; what is done comes last. */
import { type IFilter, NO_FILTER, fits, hasWords } from './filter';
import type { ICureRow, IDiagnosisRow, IFunctionRow } from './protocol';
import type { IPanelState } from './tokens';

/** What became of it: `cell` is where the function was made again, null for a file. */
export interface IDone {
  readonly cell: number | null;
}

interface ITodoBase {
  readonly key: string;
  readonly name: string;
  readonly done: IDone | null;
}

export interface IFailure extends ITodoBase {
  readonly kind: 'advice';
  readonly row: IDiagnosisRow;
}

export interface ICure extends ITodoBase {
  readonly kind: 'cure';
  readonly row: ICureRow;
}

export type Todo = IFailure | ICure;

export function todos(
  state: Pick<IPanelState, 'diagnoses' | 'cures' | 'functions' | 'revision'>,
  filter: IFilter = NO_FILTER
): Todo[] {
  const failures = new Map<string, IFailure>();
  // of several failures of one function the last one counts
  for (const row of state.diagnoses) {
    failures.delete(row.function);
    failures.set(row.function, {
      kind: 'advice',
      key: `d${row.id}`,
      name: row.function,
      done: madeAgain(row, state.functions.values()),
      row
    });
  }
  const cures = state.cures.map((row): ICure => {
    const owner = state.functions.get(row.function);
    const done =
      owner && isSince(owner, row.last_s) ? { cell: owner.place.cell } : null;
    return { kind: 'cure', key: `c${row.id}`, name: row.name, done, row };
  });
  cures.sort((a, b) => (b.row.saves_s ?? 0) - (a.row.saves_s ?? 0));
  const found: Todo[] = [...[...failures.values()].reverse(), ...cures];
  const wanted = found.filter(each => passes(filter, each));
  return [
    ...wanted.filter(each => each.done === null),
    ...wanted.filter(each => each.done !== null)
  ];
}

function passes(filter: IFilter, each: Todo): boolean {
  return each.kind === 'cure'
    ? fits(filter, each.name, each.row.saves_s, () => [
        each.row.id,
        each.row.text
      ]) && hasWords(filter, each.name, each.row.what, each.row.text)
    : fits(filter, each.name, Infinity, () => []) &&
        hasWords(filter, each.name, each.row.reason);
}

/** Whether a function that failed was made again since, and its calls work. */
function madeAgain(
  failure: IDiagnosisRow,
  functions: Iterable<IFunctionRow>
): IDone | null {
  let found: IDone | null = null;
  for (const row of functions) {
    const same =
      row.name === failure.function ||
      row.name.startsWith(`${failure.function}#`);
    if (same && row.errors === 0 && isSince(row, failure.started_s)) {
      found = { cell: row.place.cell };
    }
  }
  return found;
}

/** Whether a function was made after that moment, is still the one in use, and has been called. */
function isSince(row: IFunctionRow, moment: number | null): boolean {
  return (
    row.alive &&
    !row.superseded &&
    row.hits + row.misses > 0 &&
    row.created_s !== null &&
    moment !== null &&
    row.created_s > moment
  );
}
