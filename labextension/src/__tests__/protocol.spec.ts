import { describe, expect, it } from 'vitest';

import { ProtocolError, parseMessage } from '../protocol';
import { golden } from './golden';

describe('parseMessage', () => {
  it.each([
    'loaded',
    'unloaded',
    'snapshot',
    'update',
    'counts',
    'reply-unknown'
  ])('reads the kernel’s %s in full', name => {
    const message = golden(name);
    delete message.v;
    if (name === 'snapshot') {
      message.entries = [
        { id: 10, avals: 'f32[5]', static: { n: '5' }, trace_s: 0.004 },
        { id: 11, avals: 'f32[8]', static: { n: '8' }, trace_s: 0.004 }
      ];
    }
    expect(parseMessage({ v: 1, ...golden(name) })).toMatchObject(message);
  });

  it.each(
    golden('bad') as { why: string; newer?: boolean; message: unknown }[]
  )('refuses what is no message: $why', ({ message, newer }) => {
    let caught: unknown;
    try {
      parseMessage(message);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(ProtocolError);
    expect((caught as ProtocolError).newer).toBe(newer ?? false);
  });

  it('reads a message that has more fields than it knows', () => {
    const message = { ...golden('update'), later: 'a field of tomorrow' };
    expect(parseMessage(message)).toMatchObject({ t: 'update', seq: 1 });
  });
});
