/**
 * What is said between one kernel and the panel, whichever way it goes: what arrives is read and put into the model, each answer
 * finds its question. Where the kernel is, and how a message gets there, is for the link that owns the conversation.
 */
import { ProtocolError } from './fields';
import { parseMessage } from './messages';
import type { PanelModel } from './model';
import type { IReply, IRequest, Message } from './protocol';

/** A snapshot that has not come by then is asked for again, with the next update. */
const AGAIN_MS = 10_000;

/** Hands a request over; `id` is empty where no answer is awaited. */
export type Send = (op: string, args: IRequest['args'], id: string) => void;

export class Conversation {
  constructor(
    private readonly _model: PanelModel,
    private readonly _send: Send
  ) {}

  /** Whether the kernel has told all that was wanted, and tells what changes. */
  get isLive(): boolean {
    return this._live;
  }

  /** From now on hear counts only, or rows; `begun`: the kernel has been asked for them, and what comes before its answer is in that. */
  want(counts: boolean, begun = false): void {
    this._counts = counts;
    this._awaitsAll = begun && !counts;
    this._askedAll = performance.now();
  }

  /** Ask for something of the rows that are shown; rejects with the kernel's one plain line, or when the conversation ends. */
  ask(
    op: string,
    args: IRequest['args'] = {},
    send: Send = this._send
  ): Promise<IReply['data']> {
    const { epoch } = this._model.state;
    const id = `${++this._asked}`;
    return new Promise((resolve, reject) => {
      this._pending.set(id, { resolve, reject });
      send(op, epoch ? { epoch, ...args } : args, id);
    });
  }

  /** Take what arrived; null where it was not for this panel, or is nothing that it knows. */
  hear(data: unknown): Message | null {
    let message: Message;
    try {
      message = parseMessage(data);
    } catch (error) {
      this._complain(error);
      return null;
    }
    switch (message.t) {
      case 'snapshot':
        this._live = true;
        this._awaitsAll = false;
        this._model.applySnapshot(message);
        this._settle(message.id, pending => pending.resolve({}));
        break;
      case 'counts':
        if (!this._counts) {
          return null;
        }
        this._live = true;
        this._model.applyCounts(message);
        break;
      case 'update':
        if (!this._live || this._counts) {
          return null;
        }
        if (
          !this._isAwaitingAll() &&
          message.epoch === this._model.state.epoch &&
          this._model.applyUpdate(message) === 'gap'
        ) {
          this._awaitsAll = true;
          this._askedAll = performance.now();
          this._send('snapshot', {}, '');
        }
        break;
      case 'reply':
        this._answered(message);
        break;
    }
    if ('ping' in message && message.ping) {
      this._send('alive', {}, '');
    }
    return message;
  }

  /** Nothing more comes of what was asked. */
  end(reason: string): void {
    this._live = false;
    this._awaitsAll = false;
    const asked = [...this._pending.values()];
    this._pending.clear();
    asked.forEach(({ reject }) => reject(new Error(reason)));
  }

  private _answered(reply: IReply): void {
    const found = this._settle(reply.id, ({ resolve, reject }) =>
      reply.ok ? resolve(reply.data) : reject(new Error(reply.error))
    );
    if (!found && !reply.ok) {
      this._complain(new ProtocolError(reply.error));
    }
  }

  private _settle(id: string, settle: (pending: IPending) => void): boolean {
    const pending = this._pending.get(id);
    if (pending) {
      this._pending.delete(id);
      settle(pending);
    }
    return pending !== undefined;
  }

  /** One warning; the state stays as it is, except that a newer kernel that never got to speak is said to be newer. */
  private _complain(error: unknown): void {
    if (!(error instanceof ProtocolError)) {
      throw error;
    }
    if (error.newer && !this._live) {
      this._model.setLink('newer');
    }
    if (!this._complained) {
      this._complained = true;
      console.warn(`jupyter_jitmagic: a message was ignored: ${error.message}`);
    }
  }

  /** Not for ever: what never came is asked for again. */
  private _isAwaitingAll(): boolean {
    return this._awaitsAll && performance.now() - this._askedAll < AGAIN_MS;
  }

  private _live = false;
  private _counts = false;
  /** A snapshot is on its way: what changes before it comes is in it. */
  private _awaitsAll = false;
  private _askedAll = 0;
  private _complained = false;
  private _asked = 0;
  private _pending = new Map<string, IPending>();
}

interface IPending {
  readonly resolve: (data: IReply['data']) => void;
  readonly reject: (error: Error) => void;
}
