/**
 * The panel's conversation with the kernel over a widget's own comm. Every view of the widget hears every message; one that is
 * meant for a single view names it.
 */
import type { AnyModel } from '@anywidget/types';

import type { PanelModel } from '../model';
import { ProtocolError } from '../fields';
import { parseMessage } from '../messages';
import { type IReply, type IRequest, type Message, VERSION } from '../protocol';

/** After so many milliseconds without an answer "waits for the running cell" is told; and the question is put again. */
const PATIENCE = [600, 2500, 10_000, 30_000];
/** So often a kernel that says nothing is asked whether it is there. */
const BEAT_MS = 15_000;

export class WidgetLink {
  constructor(
    private readonly _widget: AnyModel,
    private readonly _model: PanelModel,
    private readonly _beat = BEAT_MS
  ) {
    this._widget.on('msg:custom', this._onMessage);
    // told where the front end knows that the kernel is gone or another one
    this._widget.on('comm_live_update', this._onLost);
    this._timer = setInterval(() => this._isThere(), this._beat);
    this._open(0);
  }

  dispose(): void {
    if (!this._disposed) {
      this._send('close');
      this._disposed = true;
      clearInterval(this._timer);
      clearTimeout(this._again);
      this._end('the panel was closed');
      this._widget.off('msg:custom', this._onMessage);
      this._widget.off('comm_live_update', this._onLost);
    }
  }

  /** Ask the kernel for something; rejects with its one plain line, or when the link ends. */
  request = (
    op: string,
    args: IRequest['args'] = {}
  ): Promise<IReply['data']> => {
    const id = `${++this._questions}`;
    return new Promise((resolve, reject) => {
      this._pending.set(id, { resolve, reject });
      this._send(op, { ...args, epoch: this._model.state.epoch }, id);
    });
  };

  /** Ask for everything, again and again until it comes: a kernel that is at work on a cell may hear of it only at the cell's end. */
  private _open(times: number): void {
    if (times === 0) {
      this._live = false;
      this._model.setLink('connecting');
    }
    this._send('open', { subshell: null, counts: false });
    clearTimeout(this._again);
    this._again = setTimeout(
      () => {
        this._model.setLink('waiting');
        this._open(times + 1);
      },
      PATIENCE[Math.min(times, PATIENCE.length - 1)]
    );
  }

  private _send(op: string, args: IRequest['args'] = {}, id = ''): void {
    const request: IRequest = { v: VERSION, op, id, panel: this._panel, args };
    try {
      this._widget.send(request);
    } catch {
      this._model.setLink('lost'); // the front end has no comm any more
    }
  }

  private readonly _onMessage = (content: {
    panel?: unknown;
    message?: unknown;
  }): void => {
    if (content.panel !== '' && content.panel !== this._panel) {
      return;
    }
    try {
      this._hear(parseMessage(content.message));
    } catch (error) {
      if (!(error instanceof ProtocolError)) {
        throw error;
      }
      if (error.newer && !this._live) {
        this._model.setLink('newer');
      }
      console.warn(`jupyter_jitmagic: a message was ignored: ${error.message}`);
    }
  };

  private _hear(message: Message): void {
    this._heard = performance.now();
    switch (message.t) {
      case 'snapshot':
        this._live = true;
        clearTimeout(this._again);
        this._model.applySnapshot(message);
        break;
      case 'update':
        if (
          this._live &&
          message.epoch === this._model.state.epoch &&
          this._model.applyUpdate(message) === 'gap'
        ) {
          this._open(0);
        }
        if (message.ping) {
          this._send('alive');
        }
        break;
      case 'unloaded':
        this._live = false;
        this._model.clear('unloaded');
        break;
      case 'reply':
        this._settle(message);
        break;
    }
  }

  private _settle(reply: IReply): void {
    const pending = this._pending.get(reply.id);
    this._pending.delete(reply.id);
    if (reply.ok) {
      pending?.resolve(reply.data);
    } else {
      pending?.reject(new Error(reply.error));
    }
  }

  private readonly _onLost = (): void => {
    this._end('the connection to the kernel ended');
    this._model.setLink('lost');
  };

  /** No front end tells every end of a kernel: what has been silent is asked, and what does not answer is not called live. */
  private _isThere(): void {
    const silent = performance.now() - this._heard;
    if (!this._live || document.hidden || silent < this._beat) {
      return;
    }
    if (this._asked > this._heard) {
      this._model.setLink('waiting');
      return;
    }
    this._asked = performance.now();
    this.request('here').then(
      () => this._model.state.link !== 'live' && this._open(0),
      () => {
        // the link ended, and says so itself
      }
    );
  }

  private _end(reason: string): void {
    this._pending.forEach(({ reject }) => reject(new Error(reason)));
    this._pending.clear();
  }

  private readonly _panel = `jitmagic-widget-${Math.random().toString(36).slice(2)}`;
  private readonly _timer: ReturnType<typeof setInterval>;
  private _again: ReturnType<typeof setTimeout> | undefined;
  private _disposed = false;
  private _live = false;
  private _heard = performance.now();
  /** When it was last asked whether the kernel is there. */
  private _asked = 0;
  private _questions = 0;
  private _pending = new Map<
    string,
    { resolve: (data: IReply['data']) => void; reject: (error: Error) => void }
  >();
}
