import { childrenOf, isNode, type Node } from './nodes.ts';

/** A name that is used where nothing declares it. */
export interface FreeName {
  readonly name: string;
  readonly start: number;
}

const functions = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']);
const scopes = new Set([
  ...functions,
  ...[
    'Program',
    'BlockStatement',
    'ForStatement',
    'ForOfStatement',
    'ForInStatement',
    'SwitchStatement',
    'CatchClause',
  ],
]);

/**
 * The names of a program that nothing in it declares, in the order in which they are used. By JavaScript's scopes: a
 * `const` counts in its block, a `var` in its function.
 */
export function freeNames(program: Node): FreeName[] {
  const free: FreeName[] = [];
  const walk = (node: Node, known: ReadonlySet<string>) => {
    if (node.type === 'Identifier') {
      const name = String(node['name']);
      if (!known.has(name)) free.push({ name, start: node.start });
      return;
    }
    const here = scopes.has(node.type) ? new Set([...known, ...declaredIn(node)]) : known;
    for (const child of usedIn(node)) walk(child, here);
  };
  walk(program, new Set());
  return free;
}

/** What stands in a node and is not only the name of a property, or a label. */
function usedIn(node: Node): Node[] {
  const without = (field: string) => childrenOf(node).filter((child) => child !== node[field]);
  switch (node.type) {
    case 'MemberExpression':
      return node['computed'] === true ? childrenOf(node) : without('property');
    case 'Property':
    case 'MethodDefinition':
      // `{ a }` has one node for both.
      return node['computed'] === true ? childrenOf(node) : [node['value']].filter(isNode);
    case 'LabeledStatement':
    case 'BreakStatement':
    case 'ContinueStatement':
      return without('label');
    default:
      return childrenOf(node);
  }
}

/** What a scope declares. */
function declaredIn(scope: Node): string[] {
  const own: Node[] = functions.has(scope.type) ? [] : childrenOf(scope);
  const params = Array.isArray(scope['params']) ? scope['params'].filter(isNode) : [];
  const named = scope.type === 'CatchClause' ? [scope['param']].filter(isNode) : [];
  const body = functions.has(scope.type) && isNode(scope['body']) ? varsIn(scope['body']) : varsIn(scope);
  const statements = scope.type === 'SwitchStatement' ? own.flatMap(childrenOf) : own;
  const self = scope.type === 'FunctionExpression' ? [scope['id']].filter(isNode) : [];
  return [
    ...[...params, ...named, ...self].flatMap(boundBy),
    ...statements.flatMap((statement) => [...lexicalOf(statement)]),
    ...body,
    ...(functions.has(scope.type) ? ['arguments', 'this'] : []),
  ];
}

/** `let`, `const`, functions and classes of a block. */
function lexicalOf(statement: Node): string[] {
  if (statement.type === 'VariableDeclaration') return declaratorsOf(statement);
  if (statement.type === 'FunctionDeclaration' || statement.type === 'ClassDeclaration')
    return isNode(statement['id']) ? boundBy(statement['id']) : [];
  return [];
}

/** Every `var` below, but not in functions of its own. */
function varsIn(node: Node): string[] {
  return childrenOf(node).flatMap((child) => {
    if (functions.has(child.type)) return [];
    const own = child.type === 'VariableDeclaration' && child['kind'] === 'var' ? declaratorsOf(child) : [];
    return [...own, ...varsIn(child)];
  });
}

function declaratorsOf(declaration: Node): string[] {
  return childrenOf(declaration).flatMap((each) => (isNode(each['id']) ? boundBy(each['id']) : []));
}

/** The names that a pattern binds. */
function boundBy(pattern: Node): string[] {
  switch (pattern.type) {
    case 'Identifier':
      return [String(pattern['name'])];
    case 'AssignmentPattern':
      return isNode(pattern['left']) ? boundBy(pattern['left']) : [];
    case 'RestElement':
      return isNode(pattern['argument']) ? boundBy(pattern['argument']) : [];
    case 'Property':
      return isNode(pattern['value']) ? boundBy(pattern['value']) : [];
    default:
      return childrenOf(pattern).flatMap(boundBy);
  }
}
