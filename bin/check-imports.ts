/**
 * Holds the direction of imports: web → deliveries → {documents, transport} → mailboxes → tenants → google → platform.
 * The engine (deliveries) imports nothing of Google's, Local Google stands apart from all of it, and there are no cycles.
 * Prints what it looked at, and each violation.
 */
import { globSync } from 'node:fs';
import path from 'node:path';
import { API } from 'typescript/unstable/sync';

export interface SourceFile {
  /** From the root of the checkout, with slashes: src/web/app.ts */
  name: string;
  imports: Import[];
}

export interface Import {
  line: number;
  /** As written: ./app.ts, node:fs, pg */
  specifier: string;
}

export interface Violation {
  file: string;
  line: number;
  what: string;
  rule: string;
}

const LAYERS = ['platform', 'google', 'tenants', 'mailboxes', 'documents', 'transport', 'deliveries', 'web'];

/** What each part may import besides itself. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  platform: [],
  google: ['platform'],
  tenants: ['google', 'platform'],
  mailboxes: ['tenants', 'google', 'platform'],
  documents: ['tenants', 'google', 'platform'],
  transport: ['mailboxes', 'tenants', 'google', 'platform'],
  deliveries: ['documents', 'transport', 'mailboxes', 'tenants', 'platform'],
  web: ['deliveries', 'transport', 'documents', 'mailboxes', 'tenants', 'google', 'platform'],
  'local-google': [],
  'local-google/test': ['local-google', 'test'],
  migrations: ['platform'],
  main: [...LAYERS, 'local-google', 'commands', 'migrations'],
  commands: [...LAYERS, 'local-google', 'migrations'],
  test: [...LAYERS, 'main', 'local-google', 'local-google/test', 'commands', 'migrations', 'bench', 'bin'],
  bench: [...LAYERS, 'local-google', 'migrations', 'test'],
  bin: [...LAYERS, 'migrations'],
};

/** Without files in all of these, the check looked at the wrong place. */
const MUST_BE_SEEN = [...LAYERS, 'local-google', 'migrations', 'main', 'test', 'bin'];

/** The part of the house that a file belongs to, or undefined where the house knows no such part. */
export function partOf(name: string): string | undefined {
  const [top, folder, ...rest] = name.split('/');
  if (top === 'local-google' && folder === 'test') return 'local-google/test';
  if (top !== 'src') return top;
  if (folder === 'main.ts') return 'main';
  return rest.length > 0 ? folder : undefined;
}

/** All violations in these files; a part of the house without files is one too. */
export function findViolations(files: readonly SourceFile[]): Violation[] {
  return [...findUnseenParts(files), ...findWrongImports(files), ...findCycles(files)];
}

function findUnseenParts(files: readonly SourceFile[]): Violation[] {
  const seen = new Set(files.map(({ name }) => partOf(name)));
  return MUST_BE_SEEN.filter((part) => !seen.has(part)).map((part) => ({
    file: part,
    line: 0,
    what: 'no files seen',
    rule: 'a check that looks at nothing proves nothing',
  }));
}

function findWrongImports(files: readonly SourceFile[]): Violation[] {
  const names = new Set(files.map(({ name }) => name));
  const found: Violation[] = [];
  for (const { name, imports } of files) {
    const part = partOf(name);
    const allowed = part === undefined ? undefined : MAY_IMPORT[part];
    if (part === undefined || allowed === undefined) {
      found.push({ file: name, line: 1, what: 'is in no known part', rule: 'give its folder a place in MAY_IMPORT' });
      continue;
    }
    for (const { line, specifier } of imports) {
      const target = resolve(name, specifier);
      if (target === undefined) continue;
      const other = partOf(target);
      if (other === part || (other !== undefined && allowed.includes(other))) {
        if (names.has(target)) continue;
        found.push({ file: name, line, what: `imports ${target}`, rule: 'that is no file of the checked folders' });
      } else {
        const may = allowed.length > 0 ? `${part} may import ${allowed.join(', ')}` : `${part} imports only itself`;
        found.push({ file: name, line, what: `imports ${target}`, rule: may });
      }
    }
  }
  return found;
}

function findCycles(files: readonly SourceFile[]): Violation[] {
  const byName = new Map(files.map((file) => [file.name, file]));
  const done = new Set<string>();
  const trail: string[] = [];
  const found: Violation[] = [];

  function visit(file: SourceFile): void {
    if (done.has(file.name)) return;
    trail.push(file.name);
    for (const { line, specifier } of file.imports) {
      const target = byName.get(resolve(file.name, specifier) ?? '');
      if (target === undefined) continue;
      const start = trail.indexOf(target.name);
      if (start < 0) {
        visit(target);
      } else {
        const circle = [...trail.slice(start), target.name].join(' → ');
        found.push({ file: file.name, line, what: `closes a circle: ${circle}`, rule: 'no cycles between files' });
      }
    }
    trail.pop();
    done.add(file.name);
  }

  for (const file of files) visit(file);
  return found;
}

/** The file that an import means; undefined for packages of others and Node's own modules. */
function resolve(from: string, specifier: string): string | undefined {
  if (specifier === 'local-google') return 'local-google/src/index.ts';
  return specifier.startsWith('.') ? path.posix.join(path.posix.dirname(from), specifier) : undefined;
}

/**
 * Every TypeScript file of the checked folders with what it imports, as the compiler itself reads it: static and dynamic
 * imports, re-exports and type imports.
 *
 * @throws when a file on disk is not part of the TypeScript project, since its imports would go unseen
 */
export function readSourceFiles(root: string): SourceFile[] {
  const names = globSync('{src,migrations,test,bench,bin,local-google}/**/*.ts', { cwd: root }).map((name) =>
    name.split(path.sep).join('/'),
  );
  const config = path.join(root, 'tsconfig.json');
  const api = new API({ cwd: root });
  try {
    const program = api.updateSnapshot({ openProjects: [config] }).getProject(config)?.program;
    return names.sort().map((name) => {
      const file = program?.getSourceFile(path.join(root, name));
      if (file === undefined) throw new Error(`${name} is not part of the project in ${config}: add it to "include".`);
      const imports = file.imports.map((node) => ({
        line: file.getLineAndCharacterOfPosition(node.end).line + 1,
        specifier: 'text' in node ? String(node.text) : '',
      }));
      return { name, imports };
    });
  } finally {
    api.close();
  }
}

if (import.meta.main) {
  const files = readSourceFiles(path.join(import.meta.dirname, '..'));
  const violations = findViolations(files);
  for (const { file, line, what, rule } of violations) console.error(`${file}:${line} ${what} (${rule})`);
  const imports = files.reduce((sum, file) => sum + file.imports.length, 0);
  console.log(`Imports: checked ${files.length} files, ${imports} imports, ${violations.length} violations.`);
  if (violations.length > 0) process.exitCode = 1;
}
