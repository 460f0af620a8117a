import { describe, expect, it } from 'vitest';

import { asCsv, asMarkdown } from '../markdown';
import { PanelModel } from '../model';
import { parseMessage } from '../messages';
import type { ISnapshot } from '../protocol';
import { golden } from './golden';

function shown(name = 'padded'): PanelModel {
  const model = new PanelModel();
  const snapshot = parseMessage(golden('snapshot')) as ISnapshot;
  snapshot.functions[0].name = name;
  model.applySnapshot(snapshot);
  return model;
}

describe('the table as text', () => {
  it('is Markdown with functions and their entries', () => {
    const lines = asMarkdown(shown().state).split('\n');
    expect(lines[2]).toBe(
      '| `padded` | 2 | 3 | 2 | 60 % | 88 ms | 7.9 µs | 25 kB |'
    );
    expect(lines[3]).toBe(
      '| &emsp;`n=5 · f32[5]` |  | 3 |  |  | 44 ms | 7.9 µs | 12 kB |'
    );
  });

  it('does not break a Markdown table with what a name holds', () => {
    const [, , line] = asMarkdown(shown('a|b`c\nd').state).split('\n');
    expect(line.startsWith('| ``a\\|b`c d`` |')).toBe(true);
  });

  it('is comma-separated with plain numbers, quoted where needed', () => {
    const [head, first] = asCsv(shown('=cmd(), "x"').state).split('\r\n');
    expect(head.split(',').length).toBe(12);
    expect(first.startsWith(`"'=cmd(), ""x""",f32[5],n=5,,miss,3,0.004`)).toBe(
      true
    );
  });
});
