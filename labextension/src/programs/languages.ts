/** How jaxprs, StableHLO (MLIR) and XLA's HLO are coloured: line by line, without a grammar, so that a program of any length is quick. */
import {
  LanguageSupport,
  StreamLanguage,
  type StringStream
} from '@codemirror/language';

import type { ProgramKind } from '../tokens';

/** What begins at a place of a line, by the first of the rules that fits; `state.afterEquals`: an operation's name comes next. */
type Rule = readonly [pattern: RegExp, kind: string | null];

interface IState {
  afterEquals: boolean;
}

const OPERATION = 'keyword';
const TYPE = 'variableName.standard';
const VALUE = 'variableName';
const NAMED = 'variableName.special';
const PARAMETER = 'propertyName';
const NUMBER: Rule = [
  /^-?(?:0x[\da-fA-F]+|\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|inf\b|nan\b)/,
  'number'
];
const TEXT: Rule = [/^"(?:[^"\\]|\\.)*"?/, 'string'];
const COMMENT: Rule = [/^\/\/.*|^\/\*.*?\*\//, 'comment'];
const DTYPE =
  '(?:bool|key<\\w+>|token|pred|tuple|opaque|[bcfisu]\\d+(?:e\\d\\w+)?|bf16|float0)';

const RULES: Readonly<Record<ProgramKind, readonly Rule[]>> = {
  jaxpr: [
    [/^(?:lambda|let|in)\b/, OPERATION],
    [new RegExp(`^:?${DTYPE}(?=\\[|\\b)(?:\\[[^\\]]*\\])?`), TYPE],
    TEXT,
    [/^[A-Za-z_][\w.]*(?==)/, PARAMETER],
    [/^(?:True|False|None)\b/, 'atom'],
    NUMBER,
    [/^[A-Za-z_][\w.-]*/, VALUE]
  ],
  stablehlo: [
    COMMENT,
    TEXT,
    [
      /^(?:module|attributes|func\.func|func\.call|call|return|public|private|cond|do|true|false|dense)\b/,
      OPERATION
    ],
    [/^[a-z_]+\.[a-z_]\w*/, OPERATION],
    [/^%[\w#:]+/, NAMED],
    [/^@[\w.$-]+/, 'variableName.definition'],
    [/^\^\w+/, 'labelName'],
    [/^(?:tensor|tuple|array|complex)<(?:[^<>]|<[^<>]*>)*>/, TYPE],
    [/^#\w[\w.]*(?:<[^>]*>)?/, 'meta'],
    [/^[A-Za-z_][\w.]*(?=\s*=)/, PARAMETER],
    NUMBER,
    [/^[A-Za-z_]\w*/, VALUE]
  ],
  hlo: [
    COMMENT,
    [/^(?:HloModule|ENTRY|ROOT)\b/, OPERATION],
    [/^(?:FileNames|FunctionNames|FileLocations|StackFrames)$/, 'labelName'],
    TEXT,
    [/^%[\w.-]+/, NAMED],
    [new RegExp(`^${DTYPE}\\[[^\\]]*\\](?:\\{[^}]*\\})?`), TYPE],
    [/^[A-Za-z_][\w-]*(?=\()/, OPERATION],
    [/^[A-Za-z_][\w.-]*(?==)/, PARAMETER],
    NUMBER,
    [/^[A-Za-z_][\w.-]*/, VALUE]
  ]
};

/** The name of a primitive stands where a value could, after the equals sign. */
function jaxprToken(stream: StringStream, state: IState): string | null {
  if (state.afterEquals && stream.match(/^[a-z_][\w-]*/)) {
    state.afterEquals = false;
    return OPERATION;
  }
  state.afterEquals = false;
  if (stream.match(/^ = /)) {
    state.afterEquals = true;
    return null;
  }
  return token('jaxpr', stream);
}

function token(kind: ProgramKind, stream: StringStream): string | null {
  if (stream.eatSpace()) {
    return null;
  }
  for (const [pattern, name] of RULES[kind]) {
    if (stream.match(pattern)) {
      return name;
    }
  }
  stream.next();
  return null;
}

export function language(kind: ProgramKind): LanguageSupport {
  return new LanguageSupport(
    StreamLanguage.define<IState>({
      name: kind,
      startState: () => ({ afterEquals: false }),
      copyState: state => ({ ...state }),
      token: kind === 'jaxpr' ? jaxprToken : stream => token(kind, stream)
    })
  );
}
