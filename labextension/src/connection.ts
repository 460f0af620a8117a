/**
 * One kernel and the panel: finds the extension in it, speaks to it, feeds the model, and says how things stand. What
 * arrives is read from the kernel's iopub messages and what is sent are raw messages, so that it works on every
 * connection, also where another one "handles comms", and past a running cell.
 */
import type { Kernel } from '@jupyterlab/services';
import { KernelMessage } from '@jupyterlab/services';
import { UUID } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';

import { Conversation } from './conversation';
import {
  type IPatience,
  type KernelLike,
  PATIENCE,
  commsOf,
  control,
  isForeign,
  subshellOf
} from './finding';
import type { PanelModel } from './model';
import {
  COMM,
  type IReply,
  type IRequest,
  type Message,
  QUERIES,
  VERSION
} from './protocol';

/** When a question is answered: at once where the kernel has subshells, or `between` cells, on the main shell. */
export interface IWhen {
  between?: boolean;
}

export class KernelLink implements IDisposable {
  /** `_counts`: ask for no rows, only for what a status bar shows. */
  constructor(
    private readonly _kernel: KernelLike,
    private readonly _model: PanelModel,
    private _counts = false,
    private readonly _patience: IPatience = PATIENCE
  ) {
    this._talk = new Conversation(_model, (op, args, id) =>
      this._send(op, args, id)
    );
    this._talk.want(_counts);
    _kernel.iopubMessage.connect(this._onIOPub, this);
    _kernel.statusChanged.connect(this._onStatus, this);
    _kernel.connectionStatusChanged.connect(this._onConnection, this);
    if (typeof window !== 'undefined') {
      window.addEventListener('pagehide', this._goodbye);
    }
    if (_kernel.status === 'dead') {
      _model.setLink('dead');
    } else {
      _model.setLink('connecting');
      void this._begin();
    }
  }

  get isDisposed(): boolean {
    return this._disposed;
  }

  /** From now on ask for counts only, or for rows. Where the kernel is found already, this takes one message. */
  want(counts: boolean): void {
    if (counts === this._counts) {
      return;
    }
    this._counts = counts;
    this._talk.want(counts, this._panel !== '');
    if (this._panel) {
      this._send('open', { subshell: this._subshellId, counts });
    }
  }

  /** Ask the kernel for something, as soon as it is found; rejects with its one plain line, or when the link ends. */
  request(
    op: string,
    args: IRequest['args'] = {},
    when: IWhen = {}
  ): Promise<IReply['data']> {
    const ask = (): Promise<IReply['data']> =>
      this._talk.ask(op, args, (...request) => this._send(...request, when));
    if (this._talk.isLive) {
      return ask();
    }
    return new Promise((resolve, reject) => {
      if (!this._disposed && this._model.state.link === 'connecting') {
        this._early.push({ ask: () => ask().then(resolve, reject), reject });
      } else {
        reject(new Error('the kernel is not connected'));
      }
    });
  }

  dispose(): void {
    if (this._disposed) {
      return;
    }
    this._goodbye();
    this._disposed = true;
    this._forget();
    this._endEarly();
    this._kernel.iopubMessage.disconnect(this._onIOPub, this);
    this._kernel.statusChanged.disconnect(this._onStatus, this);
    this._kernel.connectionStatusChanged.disconnect(this._onConnection, this);
    if (typeof window !== 'undefined') {
      window.removeEventListener('pagehide', this._goodbye);
    }
  }

  // -- finding the extension ---------------------------------------------------

  private async _begin(): Promise<void> {
    const foreign = await isForeign(this._kernel, this._patience);
    if (this._disposed) {
      return;
    }
    if (foreign) {
      this._foreign = true;
      this._model.clear('foreign');
      return;
    }
    await this._discover();
  }

  /**
   * Ask on the control channel which comms there are (that works while a cell runs), take or make a subshell, say that we listen.
   * `fresh`: do not share a subshell, the last one did not answer.
   */
  private async _discover(fresh = false): Promise<void> {
    const attempt = ++this._attempt;
    const stale = (): boolean => this._disposed || attempt !== this._attempt;
    this._forget();
    this._model.setLink('connecting');
    let comms: Record<string, unknown>;
    try {
      comms = await commsOf(this._kernel, this._patience, () => {
        if (!stale()) {
          this._model.setLink('waiting');
        }
      });
    } catch {
      return; // the connection ended; what ended it also starts anew
    }
    if (stale()) {
      return;
    }
    if (!(COMM in comms)) {
      this._endEarly();
      this._model.clear('unloaded');
      return;
    }
    const subshell = await subshellOf(
      this._kernel,
      this._patience,
      comms,
      fresh
    );
    if (!stale()) {
      this._open(subshell, fresh, stale);
    }
  }

  private _open(
    subshell: string | null,
    fresh: boolean,
    stale: () => boolean
  ): void {
    this._panel = `${COMM}-${UUID.uuid4()}`;
    this._subshellId = subshell;
    this._send('open', { subshell, counts: this._counts });
    const patience =
      subshell === null ? this._patience.shell : this._patience.subshell;
    setTimeout(() => {
      if (stale() || this._talk.isLive || this._model.state.link === 'newer') {
        return;
      }
      if (subshell !== null && !fresh) {
        void this._discover(true);
      } else {
        this._model.setLink('waiting');
      }
    }, patience);
  }

  // -- sending -------------------------------------------------------------------

  private _send(
    op: string,
    args: IRequest['args'] = {},
    id = '',
    { between = false }: IWhen = {}
  ): void {
    const data: IRequest = { v: VERSION, op, id, panel: this._panel, args };
    const message = KernelMessage.createMessage({
      msgType: 'comm_msg',
      channel: 'shell',
      username: this._kernel.username,
      session: this._kernel.clientId,
      content: { comm_id: QUERIES, data: data as any }
    });
    if (this._subshellId !== null && !between) {
      // set here, as older versions of createMessage do not know it
      (message.header as { subshell_id?: string }).subshell_id =
        this._subshellId;
    }
    this._asked = op === 'alive' || between ? '' : message.header.msg_id;
    // nobody waits for the "idle" that ends it: a subshell that speaks quietly says none
    this._kernel.sendShellMessage(message, false, true).dispose();
  }

  /**
   * The kernel says that it is busy with our question (ipykernel before 7.4, and with the first question; later ones are taken
   * quietly, see `quiet_subshell.py`). Its answer is right behind, and the server's socket holds it back (Nagle's algorithm, which Jupyter
   * Server leaves on) until the browser acknowledges that word; this takes it 40 ms unless it has something to send. So it
   * gets something to send.
   */
  private _hasten(parent: object): void {
    const { msg_id } = parent as { msg_id?: string };
    if (msg_id && msg_id === this._asked && this._subshellId !== null) {
      this._send('alive');
    }
  }

  /** Tell the kernel that nobody listens any more; a page that just vanishes is found out by the kernel. */
  private _goodbye = (): void => {
    const { isDisposed, status, connectionStatus } = this._kernel;
    if (
      this._panel &&
      !isDisposed &&
      status !== 'dead' &&
      connectionStatus === 'connected'
    ) {
      this._send('close');
      this._forget();
    }
  };

  /** The extension is gone from the kernel, and with it the use of the subshell: its thread need not stay. */
  private _endSubshell(): void {
    const id = this._subshellId;
    if (id !== null) {
      control(this._kernel, 'delete_subshell_request', {
        subshell_id: id
      }).catch(() => {
        // another panel was quicker, or the kernel is ending
      });
    }
  }

  private _forget(): void {
    this._panel = '';
    this._subshellId = null;
    this._talk.end('the connection to the kernel ended');
  }

  // -- receiving -----------------------------------------------------------------

  private _onIOPub(_: unknown, message: KernelMessage.IIOPubMessage): void {
    if (KernelMessage.isStatusMsg(message)) {
      this._hasten(message.parent_header);
      this._onBusy(message);
      return;
    }
    if (!KernelMessage.isCommMsgMsg(message)) {
      return;
    }
    const { comm_id, data } = message.content;
    if (comm_id !== COMM && (comm_id !== this._panel || !this._panel)) {
      return;
    }
    const heard = this._talk.hear(data);
    if (heard) {
      this._act(heard);
    }
  }

  private _act(message: Message): void {
    switch (message.t) {
      case 'loaded':
        if (!this._talk.isLive || message.epoch !== this._model.state.epoch) {
          void this._discover();
        }
        break;
      case 'unloaded':
        this._attempt += 1;
        this._endSubshell();
        this._forget();
        this._endEarly();
        this._model.clear('unloaded');
        break;
      case 'snapshot':
        this._early.splice(0).forEach(({ ask }) => ask());
        break;
    }
  }

  /** Busy is the main shell running a cell; a query on a subshell also makes the kernel say "idle", which means nothing here. */
  private _onBusy(message: KernelMessage.IStatusMsg): void {
    const parent = message.parent_header as {
      msg_type?: string;
      subshell_id?: string | null;
    };
    if (parent.msg_type === 'execute_request' && !parent.subshell_id) {
      this._model.setBusy(message.content.execution_state === 'busy');
    }
  }

  private _onStatus(_: unknown, status: KernelMessage.Status): void {
    if (this._foreign) {
      return;
    }
    switch (status) {
      case 'restarting':
      case 'autorestarting':
      case 'terminating':
        this._attempt += 1;
        this._restarting = true;
        this._forget();
        this._endEarly();
        this._model.setLink('restarting');
        break;
      case 'dead':
        this._attempt += 1;
        this._forget();
        this._endEarly();
        this._model.setLink('dead');
        break;
      case 'idle':
      case 'busy':
        if (this._restarting) {
          this._restarting = false; // before asking: an answer is a status change as well
          void this._discover();
        }
        break;
    }
  }

  private _onConnection(_: unknown, status: Kernel.ConnectionStatus): void {
    if (this._foreign || this._kernel.status === 'dead') {
      return;
    }
    if (status === 'connected') {
      // also after a restart: of a kernel that died no status needs to follow
      if (this._wasLost || this._restarting) {
        this._wasLost = this._restarting = false;
        void this._discover();
      }
    } else if (!this._restarting) {
      this._attempt += 1;
      this._wasLost = true;
      this._talk.end('the connection to the kernel was lost');
      this._endEarly();
      this._model.setLink('lost');
    }
  }

  /** What was asked before the kernel was found will have no answer: its rows may be other ones by then. */
  private _endEarly(): void {
    this._early
      .splice(0)
      .forEach(({ reject }) =>
        reject(new Error('the kernel is not connected'))
      );
  }

  private _disposed = false;
  private _foreign = false;
  private _attempt = 0;
  /** Our name, new with every connection; empty while there is none. */
  private _panel = '';
  private _subshellId: string | null = null;
  /** The message whose answer has still to be hastened. */
  private _asked = '';
  private _restarting = false;
  private _wasLost = false;
  /** Questions that were asked before the kernel was found. */
  private _early: { ask: () => void; reject: (error: Error) => void }[] = [];
  private readonly _talk: Conversation;
}
