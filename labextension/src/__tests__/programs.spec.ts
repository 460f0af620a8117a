import { EditorState } from '@codemirror/state';
import { ensureSyntaxTree } from '@codemirror/language';
import { describe, expect, it } from 'vitest';

import { parseProgram } from '../answers';
import { afterTables, withoutPlaces } from '../programs/hlo';
import { language } from '../programs/languages';
import type { ProgramKind } from '../tokens';

const HLO = `HloModule jit_f, is_scheduled=true

FileNames
1 "a.py"

StackFrames
1 {file_location_id=1 parent_frame_id=1}


%region (a: f32[]) -> f32[] {
  ROOT %s = f32[] sine(%a), metadata={op_name="jit(f)/sin" stack_frame_id=1}
}`;

/** What of a line has which colour. */
function coloured(kind: ProgramKind, line: string): Record<string, string> {
  const state = EditorState.create({
    doc: line,
    extensions: language(kind)
  });
  const found: Record<string, string> = {};
  ensureSyntaxTree(state, line.length, 1000)?.iterate({
    enter: ({ name, from, to }) => {
      if (name !== 'Document') {
        found[line.slice(from, to)] = name;
      }
    }
  });
  return found;
}

describe('programs', () => {
  it('have their operations, types and values told apart', () => {
    const jaxpr = coloured('jaxpr', '    d:f32[3] = reduce_sum[axes=(0,)] c');
    expect(jaxpr['reduce_sum']).toBe('keyword');
    expect(jaxpr[':f32[3]']).toMatch(/standard/);
    expect(jaxpr['axes']).toMatch(/property/);
    const mlir = coloured(
      'stablehlo',
      '    %0 = stablehlo.sine %arg0 : tensor<3xf32>'
    );
    expect(mlir['stablehlo.sine']).toBe('keyword');
    expect(mlir['tensor<3xf32>']).toMatch(/standard/);
    const hlo = coloured('hlo', '  ROOT %s.1 = f32[3]{0} sine(%a), calls=%f');
    expect(hlo['sine']).toBe('keyword');
    expect(hlo['f32[3]{0}']).toMatch(/standard/);
    expect(hlo['calls']).toMatch(/property/);
  });

  it('of XLA begin after its tables, and are compared without what leads into them', () => {
    expect(HLO.split('\n')[afterTables(HLO)]).toMatch(/^%region/);
    expect(afterTables('HloModule jit_f')).toBe(0);
    const bare = withoutPlaces(HLO);
    expect(bare).not.toMatch(/FileNames|stack_frame_id|parent_frame_id/);
    expect(bare).toContain('metadata={op_name="jit(f)/sin"}');
  });

  it('come with the place behind each line; what is none is left out', () => {
    const place = { cell: 3, file: '', line: 4 };
    expect(
      parseProgram({ text: 'a\nb', places: [place], at: [0, null] })
    ).toEqual({ text: 'a\nb', length: 3, places: [place], at: [0, -1] });
    expect(() => parseProgram({})).toThrow('text is not a text');
  });
});
