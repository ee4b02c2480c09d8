/** A node of the compiler's syntax tree; `src` is offset:length:source, in bytes. */
interface Node {
  readonly nodeType: string;
  readonly src?: string;
  readonly nativeSrc?: string;
  readonly [member: string]: unknown;
}

/** One change of a source: the bytes from `start` to `end` replaced. */
export interface Mutant {
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
  readonly operator: Operator;
  /** The function it is in, or `constant`. */
  readonly scope: string;
  /** The body that it is in, with its braces; none for constants, modifiers and what runs in a constructor. */
  readonly body?: Range;
}

export type Operator =
  | 'relation'
  | 'arithmetic'
  | 'condition'
  | 'constant'
  | 'deletion'
  | 'modifier'
  | 'logic'
  | 'unary';

/** What stands for each binary operator. Relations move their boundary and turn round; those with one opposite have that. */
const BINARY: Record<string, readonly [Operator, ...string[]]> = {
  '<': ['relation', '<=', '>='],
  '<=': ['relation', '<', '>'],
  '>': ['relation', '>=', '<='],
  '>=': ['relation', '>', '<'],
  '==': ['relation', '!='],
  '!=': ['relation', '=='],
  '&&': ['logic', '||'],
  '||': ['logic', '&&'],
  '+': ['arithmetic', '-'],
  '-': ['arithmetic', '+'],
  '*': ['arithmetic', '/'],
  '/': ['arithmetic', '*'],
  '%': ['arithmetic', '*'],
  '**': ['arithmetic', '*'],
  '<<': ['arithmetic', '>>'],
  '>>': ['arithmetic', '<<'],
  '&': ['arithmetic', '|'],
  '|': ['arithmetic', '&'],
};
const ASSIGNMENT: Record<string, string> = {
  '+=': '-=',
  '-=': '+=',
  '|=': '&=',
  '&=': '|=',
  '<<=': '>>=',
  '>>=': '<<=',
};
const UNARY: Record<string, string> = { '++': '--', '--': '++', '!': '', '~': '', '-': '' };
const YUL: Record<string, string> = { and: 'or', or: 'and', add: 'sub', sub: 'add', mul: 'add', eq: 'lt' };

/** All mutants of a source, in the order of the source. */
export function mutantsOf(source: Buffer, ast: unknown): Mutant[] {
  const found = new Map<string, Mutant>();
  let body: Range | undefined;
  visit(ast as Node, '');
  return [...found.values()].sort((a, b) => a.start - b.start || a.end - b.end);

  function visit(node: Node, scope: string): void {
    const name = node.nodeType === 'FunctionDefinition' ? (node.name as string) || (node.kind as string) : scope;
    if (node.nodeType === 'ArrayTypeName') return;
    if (node.nodeType === 'FunctionDefinition') {
      body = isNode(node.body) && node.kind !== 'constructor' ? rangeOf(node.body) : undefined;
    }
    if (name !== '') mutate(node, name);
    // Of what is outside functions only the values of constants are code that runs.
    const within = name === '' && node.nodeType === 'VariableDeclaration' && node.constant ? 'constant' : name;
    for (const child of Object.values(node).flat()) if (isNode(child)) visit(child, within);
  }

  function mutate(node: Node, scope: string): void {
    const add = (operator: Operator, [start, end]: Range, replacement: string) => {
      const key = `${start} ${end} ${replacement}`;
      const inside = body && body[0] < start && end < body[1] ? { body } : {};
      if (!found.has(key)) found.set(key, { start, end, replacement, operator, scope, ...inside });
    };
    /** An operator lies between its operands, where there are else brackets and blanks. */
    const between = (left: Node, right: Node, operator: string): Range => {
      const from = source.indexOf(operator, rangeOf(left)[1]);
      if (from < 0 || from > rangeOf(right)[0]) throw new Error(`no ${operator} at ${node.src}`);
      return [from, from + operator.length];
    };
    const text = (of: Node) => source.subarray(...rangeOf(of)).toString();
    const [left, right] = [node.leftExpression, node.rightExpression] as Node[];
    const operator = node.operator as string;
    switch (node.nodeType) {
      case 'BinaryOperation': {
        const [kind, ...others] = BINARY[operator] ?? [];
        for (const other of others) add(kind!, between(left!, right!, operator), other);
        return;
      }
      case 'Assignment': {
        const other = ASSIGNMENT[operator];
        if (other) add('arithmetic', between(node.leftHandSide as Node, node.rightHandSide as Node, operator), other);
        return;
      }
      case 'UnaryOperation': {
        const other = UNARY[operator];
        const [start, end] = rangeOf(node);
        const from = node.prefix ? start : end - operator.length;
        if (other !== undefined) add('unary', [from, from + operator.length], other);
        return;
      }
      case 'IfStatement':
      case 'Conditional': {
        const condition = node.condition as Node;
        // A relation is turned round by its own operator.
        if (!/^[<>=!]=?$/.test(String(condition.operator))) {
          add('condition', rangeOf(condition), `!(${text(condition)})`);
        }
        if (node.nodeType === 'Conditional') return;
        add('condition', rangeOf(condition), 'false');
        // A guard that always reverts tells nothing of the tests.
        if ((node.trueBody as Node).nodeType !== 'RevertStatement') add('condition', rangeOf(condition), 'true');
        return;
      }
      case 'Literal':
        for (const other of otherLiterals(node.kind as string, text(node))) add('constant', rangeOf(node), other);
        return;
      case 'ExpressionStatement':
      case 'EmitStatement': {
        const [start, end] = rangeOf(node);
        if (source[end] === ';'.charCodeAt(0)) add('deletion', [start, end + 1], '{}');
        return;
      }
      case 'ModifierInvocation':
        if (node.kind === 'modifierInvocation') add('modifier', rangeOf(node), '');
        return;
      case 'YulLiteral':
        if (node.kind === 'number') add('constant', rangeOf(node), String(Number(node.value) + 1));
        return;
      case 'YulFunctionCall': {
        const callee = node.functionName as Node;
        const other = YUL[callee.name as string];
        if (other) add('arithmetic', rangeOf(callee), other);
        return;
      }
      case 'YulAssignment':
      case 'YulExpressionStatement':
        add('deletion', rangeOf(node), '{}');
    }
  }
}

export type Range = readonly [start: number, end: number];

function rangeOf(node: Node): Range {
  const [start, length] = (node.nativeSrc ?? node.src!).split(':').map(Number);
  return [start!, start! + length!];
}

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && 'nodeType' in value;

function otherLiterals(kind: string, text: string): string[] {
  if (kind === 'bool') return [text === 'true' ? 'false' : 'true'];
  if (kind !== 'number') return [];
  if (text === '0') return ['1'];
  return text === '1' ? ['0', '2'] : [`(${text} + 1)`, `(${text} - 1)`];
}
