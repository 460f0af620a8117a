/** What the pages of programs need of their surroundings. */
import type { IEditorFactoryService } from '@jupyterlab/codeeditor';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { IJitPanel } from '../jitpanel';
import type { IProgramChoice, ProgramKind } from '../tokens';

export interface IProgramHost {
  readonly panel: IJitPanel;
  readonly editors: IEditorFactoryService;
  readonly trans: TranslationBundle;
  /** Show another page. */
  open(choice: IProgramChoice): void;
}

export const KINDS: readonly ProgramKind[] = ['jaxpr', 'stablehlo', 'hlo'];

export const KIND_NAMES: Readonly<Record<ProgramKind, string>> = {
  jaxpr: 'jaxpr',
  stablehlo: 'StableHLO',
  hlo: 'HLO'
};

export function mimeType(kind: ProgramKind): string {
  return `text/x-jitmagic-${kind}`;
}
