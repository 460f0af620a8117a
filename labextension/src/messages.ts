/** The one place where what arrives from the kernel is checked: a message, its rows field by field. */
import {
  type Fields,
  ProtocolError,
  flag,
  ids,
  isObject,
  list,
  maybeNumber,
  maybeText,
  number,
  object,
  place,
  text,
  texts
} from './fields';
import {
  type ICauseRow,
  type IDiagnosisRow,
  type IEntryRow,
  type IFunctionRow,
  type IMissRow,
  type INowRow,
  type IOtherRow,
  type IRows,
  type Message,
  VERSION
} from './protocol';

/**
 * What arrived on a comm, as a message.
 *
 * @throws ProtocolError if it is not one, or speaks a newer version
 */
export function parseMessage(data: unknown): Message {
  const message = object(data, 'message');
  const version = message.v;
  if (typeof version !== 'number') {
    throw new ProtocolError('the message has no version');
  }
  if (version > VERSION) {
    throw new ProtocolError(
      `the kernel speaks version ${version}, this panel version ${VERSION}`,
      true
    );
  }
  switch (message.t) {
    case 'snapshot':
      return {
        t: 'snapshot',
        epoch: text(message, 'epoch'),
        seq: number(message, 'seq'),
        busy: flag(message, 'busy'),
        package: typeof message.package === 'string' ? message.package : '',
        home: maybeText(message, 'home') ?? '',
        paused_s: maybeNumber(message, 'paused_s'),
        id: typeof message.id === 'string' ? message.id : '',
        ...rows(message)
      };
    case 'update':
      return {
        t: 'update',
        epoch: text(message, 'epoch'),
        seq: number(message, 'seq'),
        busy: flag(message, 'busy'),
        gone_functions: ids(message, 'gone_functions'),
        gone_entries: ids(message, 'gone_entries'),
        ping: message.ping === true,
        ...rows(message)
      };
    case 'counts':
      return {
        t: 'counts',
        epoch: text(message, 'epoch'),
        busy: flag(message, 'busy'),
        running: number(message, 'running'),
        misses: number(message, 'misses'),
        compile_s: maybeNumber(message, 'compile_s'),
        ping: message.ping === true
      };
    case 'loaded':
    case 'unloaded':
      return { t: message.t, epoch: text(message, 'epoch') };
    case 'reply':
      return {
        t: 'reply',
        id: text(message, 'id'),
        ok: message.ok === true,
        error: typeof message.error === 'string' ? message.error : '',
        data: isObject(message.data) ? message.data : {}
      };
    default:
      throw new ProtocolError(
        `the message is of no known kind: ${String(message.t).slice(0, 40)}`
      );
  }
}

/** The rows of a table, which come column by column: the fields that all share, and a list for each of the others. */
function unfolded(table: Fields): Fields[] {
  const same = object(table.same, 'same');
  const each = Object.entries(object(table.each, 'each')).map(
    ([name, values]): [string, unknown[]] => {
      if (!Array.isArray(values)) {
        throw new ProtocolError(`${name} is not a list`);
      }
      return [name, values];
    }
  );
  const length = number(table, 'count');
  if (
    each.length === 0
      ? length > 1
      : each.some(([, values]) => values.length !== length)
  ) {
    throw new ProtocolError('the lists of a table differ in length');
  }
  return Array.from({ length }, (_, index) => {
    const fields: Fields = { ...same };
    for (const [name, values] of each) {
      fields[name] = values[index];
    }
    return fields;
  });
}

function rows(message: Fields): IRows {
  const every = <Row>(key: string, read: (fields: Fields) => Row): Row[] => {
    const value = message[key];
    return (isObject(value) ? unfolded(value) : list(message, key)).map(item =>
      read(object(item, `a row of ${key}`))
    );
  };
  return {
    functions: every('functions', functionRow),
    entries: every('entries', entryRow),
    misses: every('misses', missRow),
    diagnoses: every('diagnoses', diagnosisRow),
    others: every('others', otherRow),
    now: every('now', nowRow)
  };
}

function functionRow(fields: Fields): IFunctionRow {
  return {
    id: number(fields, 'id'),
    name: text(fields, 'name'),
    module: text(fields, 'module'),
    place: place(object(fields.place, 'place')),
    static_argnames: texts(fields, 'static_argnames'),
    donate_argnames: texts(fields, 'donate_argnames'),
    alive: flag(fields, 'alive'),
    superseded: flag(fields, 'superseded'),
    recording: flag(fields, 'recording'),
    calls: number(fields, 'calls'),
    hits: number(fields, 'hits'),
    misses: number(fields, 'misses'),
    errors: number(fields, 'errors'),
    inlined: number(fields, 'inlined'),
    created_s: maybeNumber(fields, 'created_s'),
    trace_s: maybeNumber(fields, 'trace_s'),
    lower_s: maybeNumber(fields, 'lower_s'),
    compile_s: maybeNumber(fields, 'compile_s'),
    apart: texts(fields, 'apart')
  };
}

function entryRow(fields: Fields): IEntryRow {
  const statics = object(fields.static ?? {}, 'static');
  return {
    id: number(fields, 'id'),
    function: number(fields, 'function'),
    avals: text(fields, 'avals'),
    arguments: maybeText(fields, 'arguments') ?? '',
    apart: texts(fields, 'apart'),
    static: Object.fromEntries(
      Object.entries(statics).map(([name, value]) => [name, String(value)])
    ),
    transformation: text(fields, 'transformation'),
    outcome: text(fields, 'outcome'),
    hits: number(fields, 'hits'),
    trace_s: maybeNumber(fields, 'trace_s'),
    lower_s: maybeNumber(fields, 'lower_s'),
    compile_s: maybeNumber(fields, 'compile_s'),
    execute_s: maybeNumber(fields, 'execute_s'),
    executable_bytes: maybeNumber(fields, 'executable_bytes'),
    temp_bytes: maybeNumber(fields, 'temp_bytes'),
    argument_bytes: maybeNumber(fields, 'argument_bytes'),
    output_bytes: maybeNumber(fields, 'output_bytes'),
    created_s: maybeNumber(fields, 'created_s'),
    last_used_s: maybeNumber(fields, 'last_used_s'),
    superseded: flag(fields, 'superseded'),
    alive: flag(fields, 'alive')
  };
}

function causes(fields: Fields): ICauseRow[] {
  return list(fields, 'causes').map(item => {
    const cause = object(item, 'a cause');
    return {
      cause: text(cause, 'cause'),
      argument: text(cause, 'argument'),
      before: text(cause, 'before'),
      now: text(cause, 'now')
    };
  });
}

function otherRow(fields: Fields): IOtherRow {
  return {
    id: number(fields, 'id'),
    function: text(fields, 'function'),
    module: text(fields, 'module'),
    place: isObject(fields.place) ? place(fields.place) : null,
    compiles: number(fields, 'compiles'),
    cost_s: maybeNumber(fields, 'cost_s'),
    causes: causes(fields)
  };
}

function missRow(fields: Fields): IMissRow {
  return {
    id: number(fields, 'id'),
    call: number(fields, 'call'),
    function: number(fields, 'function'),
    entry: number(fields, 'entry'),
    causes: causes(fields),
    cost_s: maybeNumber(fields, 'cost_s'),
    call_site: isObject(fields.call_site) ? place(fields.call_site) : null,
    started_s: maybeNumber(fields, 'started_s')
  };
}

function diagnosisRow(fields: Fields): IDiagnosisRow {
  return {
    id: number(fields, 'id'),
    function: text(fields, 'function'),
    started_s: maybeNumber(fields, 'started_s'),
    kind: text(fields, 'kind'),
    reason: text(fields, 'reason'),
    static_argnames: texts(fields, 'static_argnames'),
    verified: flag(fields, 'verified'),
    diff: text(fields, 'diff'),
    fix: maybeText(fields, 'fix') ?? '',
    place: isObject(fields.place) ? place(fields.place) : null
  };
}

function nowRow(fields: Fields): INowRow {
  return {
    function: number(fields, 'function'),
    name: text(fields, 'name'),
    phase: text(fields, 'phase'),
    elapsed_s: number(fields, 'elapsed_s'),
    done: list(fields, 'done').map(item => {
      const done = object(item, 'a phase');
      return {
        phase: text(done, 'phase'),
        duration_s: maybeNumber(done, 'duration_s')
      };
    }),
    thread: number(fields, 'thread')
  };
}
