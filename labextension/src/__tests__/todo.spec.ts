import { describe, expect, it } from 'vitest';

import { parseFilter } from '../filter';
import { PanelModel } from '../model';
import { parseMessage } from '../messages';
import type { ICureRow, ISnapshot } from '../protocol';
import { todos } from '../todo';
import type { IPanelState } from '../tokens';
import { golden } from './golden';

const CURE: ICureRow = {
  id: 'shape_churn padded x',
  function: 1,
  name: 'padded',
  text: 'axis 0 of x had 20 sizes',
  proof: 'read off the recorded misses',
  misses: 19,
  cost_s: 18,
  what: 'pad axis 0 of x to powers of two',
  before: 20,
  after: 4,
  saves_s: 15,
  last_s: 1_700_000_001,
  ladders: [],
  why: '',
  helper: '',
  place: null,
  fix: null
};

function state(
  change: (snapshot: ISnapshot) => void = () => {},
  cures: ICureRow[] = [CURE]
): IPanelState {
  const model = new PanelModel();
  const snapshot = parseMessage(golden('snapshot')) as ISnapshot;
  change(snapshot);
  model.applySnapshot(snapshot);
  model.setCures(cures);
  return model.state;
}

const keys = (shown: IPanelState, filter = ''): string[] =>
  todos(shown, parseFilter(filter)).map(
    ({ key, done }) => (done ? 'done ' : '') + key
  );

describe('todos', () => {
  it('has what fails first, then what saves most', () => {
    const small = { ...CURE, id: 'small', saves_s: 0.04 };
    expect(keys(state(undefined, [small, CURE]))).toEqual([
      'd1',
      `c${CURE.id}`,
      'csmall'
    ]);
  });

  it('of several failures of one function shows the last', () => {
    const shown = state(snapshot => {
      snapshot.diagnoses.push({ ...snapshot.diagnoses[0], id: 2 });
    }, []);
    expect(keys(shown)).toEqual(['d2']);
  });

  it('says that a function was made again and works, and puts that last', () => {
    const shown = state(snapshot => {
      snapshot.functions[0].created_s = 1_700_000_009;
      snapshot.functions[0].place.cell = 15;
    });
    expect(keys(shown)).toEqual(['d1', `done c${CURE.id}`]);
    expect(todos(shown)[1].done).toEqual({ cell: 15 });
  });

  it('calls nothing fixed that was not called since, or missed again', () => {
    const made = (facts: object): IPanelState =>
      state(snapshot => {
        Object.assign(snapshot.functions[0], {
          created_s: 1_700_000_009,
          ...facts
        });
      });
    expect(keys(made({ hits: 0, misses: 0 }))).toContain(`c${CURE.id}`);
    expect(keys(made({ superseded: true }))).toContain(`c${CURE.id}`);
    const again = { ...CURE, last_s: 1_700_000_010 };
    expect(
      keys(
        state(
          snapshot => {
            snapshot.functions[0].created_s = 1_700_000_009;
          },
          [again]
        )
      )
    ).toContain(`c${CURE.id}`);
  });

  it('a failure is over when its function was made again and its calls work', () => {
    const made = (errors: number): string[] =>
      keys(
        state(snapshot => {
          Object.assign(snapshot.functions[0], {
            name: 'conditional_double',
            created_s: 1_700_000_009,
            errors
          });
        }, [])
      );
    expect(made(0)).toEqual(['done d1']);
    expect(made(1)).toEqual(['d1']);
  });

  it('passes the filter of the whole panel', () => {
    expect(keys(state(), 'fn:padded')).toEqual([`c${CURE.id}`]);
    expect(keys(state(), 'cost:>1min')).toEqual(['d1']);
    expect(keys(state(), 'powers')).toEqual([`c${CURE.id}`]);
    expect(keys(state(), 'cause:shape')).toEqual([`c${CURE.id}`]);
  });
});
