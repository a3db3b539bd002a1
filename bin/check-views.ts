/**
 * Holds that views use no name that nobody gives them: each view is compiled as it is for a page, and what is free in it
 * must be given by what renders or includes it, by `render.ts`, or by JavaScript. Prints what it looked at, and each name.
 *
 * What renders a view may give it whatever stands as a property in its own file or in one that it imports: coarser than
 * types, but a misspelt name stands nowhere.
 */
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ejs from 'ejs';
import { parseSync } from 'oxc-parser';
import { isNode, type Node, nodesIn } from './view-names/nodes.ts';
import { freeNames } from './view-names/scopes.ts';

/** A view of ours, compiled and read. */
export interface View {
  /** Under `views/`, without `.ejs`. */
  readonly name: string;
  /** What is free in it, with its line. */
  readonly free: ReadonlyMap<string, number>;
  readonly includes: readonly Include[];
}

/** A place where a view includes another, or one of several. */
interface Include {
  readonly views: readonly string[];
  /** What is given besides what the including view has. */
  readonly given: readonly string[];
}

/** A name that nobody gives. */
export interface Undefined {
  readonly view: string;
  readonly line: number;
  readonly name: string;
  /** What rendered or included it. */
  readonly from: string;
}

/** What a template knows by being one. */
const ofTemplates = [
  'include',
  'locals',
  'escapeFn',
  'rethrow',
  '__append',
  '__line',
  '__lines',
  '__filename',
  '__output',
];

/** Reads a view: what of EJS's own function is free in it, and what it includes. */
export function readView(name: string, text: string): View {
  const template = new ejs.Template(text, { filename: `${name}.ejs`, strict: false });
  template.compile();
  const source = `function view() {\n${template.source}\n}`;
  const { program, errors } = parseSync('view.cjs', source, { sourceType: 'script', lang: 'js' });
  if (errors.length > 0) throw new SyntaxError(`${name}.ejs: ${errors[0]?.message}`);
  const lineOf = lineFinder(source);
  const free = new Map<string, number>();
  for (const { name: used, start } of freeNames(asNode(program))) {
    if (!(used in globalThis) && !ofTemplates.includes(used) && !free.has(used)) free.set(used, lineOf(start));
  }
  return { name, free, includes: includesOf(asNode(program)) };
}

/** All names that nobody gives: each view is looked at as it is rendered, with everything that it includes. */
export function findUndefined(
  views: ReadonlyMap<string, View>,
  renders: readonly { readonly view: string; readonly file: string; readonly given: ReadonlySet<string> }[],
): Undefined[] {
  const found = new Map<string, Undefined>();
  const look = (name: string, from: string, given: ReadonlySet<string>, seen: readonly string[]) => {
    const view = views.get(name);
    if (!view) return void found.set(`${from} ${name}`, { view: name, line: 0, name: '(no such view)', from });
    for (const [used, line] of view.free)
      if (!given.has(used)) found.set(`${name} ${used}`, { view: name, line, name: used, from });
    if (seen.includes(name)) return;
    for (const include of view.includes)
      for (const part of include.views) look(part, name, new Set([...given, ...include.given]), [...seen, name]);
  };
  for (const { view, file, given } of renders) look(view, file, given, []);
  return [...found.values()];
}

function includesOf(program: Node): Include[] {
  return [...nodesIn(program)].flatMap((node) => {
    if (node.type !== 'CallExpression' || asNode(node['callee'])['name'] !== 'include') return [];
    const [which, locals] = (node['arguments'] as unknown[]).map(asNode);
    const views = which ? strings(which).map((each) => each.replace(/^\//, '')) : [];
    return [{ views, given: locals ? propertiesOf(locals) : [] }];
  });
}

function strings(node: Node): string[] {
  return [...nodesIn(node)].flatMap((each) =>
    each.type === 'Literal' && typeof each['value'] === 'string' && each['value'].startsWith('/')
      ? [each['value']]
      : [],
  );
}

/** The names of all properties that are written anywhere in it. */
function propertiesOf(node: Node): string[] {
  return [...nodesIn(node)].flatMap((each) => {
    if (each.type !== 'Property' && each.type !== 'TSPropertySignature') return [];
    const key = asNode(each['key']);
    const name = key['name'] ?? key['value'];
    return typeof name === 'string' ? [name] : [];
  });
}

function asNode(value: unknown): Node {
  if (!isNode(value)) throw new TypeError('Not a node of a syntax tree');
  return value;
}

/** The line of the view that an offset of the compiled function comes from. */
function lineFinder(source: string): (offset: number) => number {
  return (offset) => {
    const before = source.slice(0, offset);
    const [, marked = '1'] = before.match(/.*__line = (\d+)/s) ?? [];
    return Number(marked);
  };
}

/** A file of the pages: what it imports, which names it writes as properties, and what it renders. */
interface PageFile {
  readonly imports: readonly string[];
  readonly properties: readonly string[];
  readonly renders: readonly string[];
  /** What it gives to every page. */
  readonly shared: readonly string[];
}

function readPageFile(file: string): PageFile {
  const { program } = parseSync(file, readFileSync(file, 'utf8'));
  const root = asNode(program);
  const nodes = [...nodesIn(root)];
  return {
    imports: nodes.flatMap((node) => {
      if (node.type !== 'ImportDeclaration') return [];
      const specifier = String(asNode(node['source'])['value']);
      return specifier.startsWith('.') ? [path.join(path.dirname(file), specifier)] : [];
    }),
    properties: propertiesOf(root),
    renders: nodes.flatMap(rendered),
    shared: nodes.flatMap(sharedNames),
  };
}

/** `page(res, 'home/page', …)`: the view; of a choice, each. */
function rendered(node: Node): string[] {
  if (node.type !== 'CallExpression') return [];
  if (!['page', 'fragment', 'rowsOf', 'renderView'].includes(String(asNode(node['callee'])['name']))) return [];
  return (node['arguments'] as unknown[])
    .slice(0, 2)
    .flatMap((argument) => [...nodesIn(asNode(argument))])
    .flatMap((each) =>
      each.type === 'Literal' && /^[a-z-]+\/[a-z-]+$/.test(String(each['value'])) ? [String(each['value'])] : [],
    );
}

/** `res.locals['viewer'] = …`, `app.locals['asset'] = …`. */
function sharedNames(node: Node): string[] {
  if (node.type !== 'AssignmentExpression') return [];
  const left = asNode(node['left']);
  if (left.type !== 'MemberExpression') return [];
  const object = asNode(left['object']);
  const isLocals = object.type === 'MemberExpression' && asNode(object['property'])['name'] === 'locals';
  const property = asNode(left['property']);
  return isLocals ? [String(property['value'] ?? property['name'])] : [];
}

/** Looks at all views of a checkout. */
export function checkViews(root: string): {
  readonly seen: number;
  readonly rendered: number;
  readonly undefined: Undefined[];
} {
  const views = new Map(
    globSync('views/**/*.ejs', { cwd: root }).map((file) => {
      const name = file
        .replaceAll('\\', '/')
        .replace(/^views\//, '')
        .replace(/\.ejs$/, '');
      return [name, readView(name, readFileSync(path.join(root, file), 'utf8'))] as const;
    }),
  );
  const read = new Map<string, PageFile>();
  const pageFile = (file: string) => {
    const known = read.get(file) ?? readPageFile(file);
    read.set(file, known);
    return known;
  };
  const pages = globSync('src/web/*.ts', { cwd: root }).map((file) => path.join(root, file));
  const shared = [
    ...pages.flatMap((file) => pageFile(file).shared),
    ...pageFile(path.join(root, 'src/web/render.ts')).properties,
  ];
  const renders = pages.flatMap((file) => {
    const { renders: names, imports, properties } = pageFile(file);
    if (names.length === 0) return [];
    const given = new Set([...shared, ...properties, ...imports.flatMap((each) => pageFile(each).properties)]);
    return names.map((view) => ({ view, file: path.relative(root, file), given }));
  });
  const reached = new Set(renders.map(({ view }) => view));
  for (const view of reached)
    for (const { views: parts } of views.get(view)?.includes ?? []) for (const part of parts) reached.add(part);
  const unseen = [...views.keys()].filter((name) => !reached.has(name));
  const unused = unseen.map((view) => ({ view, line: 0, name: '(nobody renders it)', from: '' }));
  return { seen: views.size, rendered: renders.length, undefined: [...findUndefined(views, renders), ...unused] };
}

if (import.meta.main) {
  const { seen, rendered: count, undefined: found } = checkViews(path.join(import.meta.dirname, '..'));
  for (const { view, line, name, from } of found)
    console.log(`views/${view}.ejs:${line}: ${name} is not given by ${from}`);
  console.log(`Views: ${seen} views, rendered in ${count} places, ${found.length} names that nobody gives.`);
  process.exitCode = seen > 50 && count > 30 && found.length === 0 ? 0 : 1;
}
