/** What the views ask the kernel, whichever way the questions go. */
import {
  parseCalls,
  parseComparison,
  parseDetail,
  parseFixes,
  parseLines,
  parseTimeline
} from './answers';
import type { IReply, IRequest } from './protocol';
import type { IPanelActions } from './tokens';

export type Ask = (
  op: string,
  args: IRequest['args']
) => Promise<IReply['data']>;

type Questions = Pick<
  IPanelActions,
  'detail' | 'lines' | 'calls' | 'compare' | 'timeline' | 'fixes'
>;

export function questions(ask: Ask): Questions {
  return {
    detail: async (entry, what) =>
      parseDetail(await ask('detail', { entry, what })),
    lines: async entry => parseLines(await ask('lines', { entry })),
    calls: async entry => parseCalls(await ask('calls', { entry })),
    compare: async (entry, other) =>
      parseComparison(await ask('compare', { entry, other })),
    timeline: async (from_s, to_s, stretches) =>
      parseTimeline(await ask('timeline', { from_s, to_s, stretches })),
    fixes: async diagnosis => parseFixes(await ask('fixes', { diagnosis }))
  };
}
