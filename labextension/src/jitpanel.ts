/** What our other plugins, and other extensions, may have of the panel. */
import type { IPlace, IReply, IRequest } from './protocol';
import { Token } from '@lumino/coreutils';
import type { ISignal } from '@lumino/signaling';

import type { ColumnId, IPanelActions, IPanelStore, Selection } from './tokens';
import type { Followed } from './tracker';

export interface IJitPanel {
  /** The rows, and what the user chose to see of them. */
  readonly model: IPanelStore & {
    togglePin(functionId: number): void;
    expand(functions: Iterable<number>, open: boolean): void;
    say(said: string): void;
  };
  readonly actions: IPanelActions;
  /** The document that the rows belong to, and when it is another one. */
  readonly followed: Followed | null;
  readonly followedChanged: ISignal<unknown, void>;
  /** Show it in the sidebar. */
  open(): void;
  /** Show a row closely, as soon as it is there; `epoch`: the start of the extension that it is of, where that is known. */
  showRow(selection: Selection, epoch: string): void;
  /** Show a line of the user's, or say that it is not there any more. */
  goTo(place: IPlace): Promise<void>;
  /** Ask the kernel; what it cannot do it says in one line, which is shown. */
  ask(
    op: string,
    args?: { [key: string]: number | string | boolean }
  ): Promise<IReply['data'] | null>;
  /** Ask the kernel; rejects with the one line of what it cannot do. */
  request(op: string, args: IRequest['args']): Promise<IReply['data']>;
  pauseRecording(on: boolean): Promise<void>;
  toggleColumn(column: ColumnId): void;
  /** Another view of the same rows can be seen, or no longer: while one can, the kernel is listened to. */
  watch(view: unknown, seen: boolean): void;
  /** Whether the rows can be seen anywhere, so that they are the kernel's latest. */
  readonly seen: boolean;
  readonly seenChanged: ISignal<unknown, void>;
  /** Whether compiles are counted while nothing of the rows can be seen. */
  count(counted: boolean): void;
  readonly counts: boolean;
  /** Emitted when there begins or ceases to be something to count. */
  readonly countsChanged: ISignal<unknown, void>;
}

export const IJitPanel = new Token<IJitPanel>(
  'jupyter-jitmagic:IJitPanel',
  "The panel of a kernel's jit caches: its rows, and what can be done with them."
);
