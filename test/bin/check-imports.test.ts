import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findViolations, partOf, readSourceFiles, type SourceFile } from '../../bin/check-imports.ts';

const house: SourceFile[] = [
  file('src/main.ts', './web/app.ts', 'local-google'),
  file('src/web/app.ts', 'express', '../deliveries/create.ts'),
  file('src/deliveries/create.ts', '../documents/store.ts', '../mailboxes/sender.ts', '../transport/transport.ts'),
  file('src/transport/transport.ts', '../mailboxes/sender.ts', '../google/gmail.ts'),
  file('src/documents/store.ts', '../tenants/scope.ts'),
  file('src/mailboxes/sender.ts', '../tenants/scope.ts', '../google/gmail.ts'),
  file('src/tenants/scope.ts', '../platform/database.ts'),
  file('src/google/gmail.ts', '../platform/database.ts'),
  file('src/platform/database.ts', 'pg', 'node:path'),
  file('local-google/src/index.ts', './world.ts'),
  file('local-google/src/world.ts'),
  file('local-google/test/world.test.ts', '../src/world.ts', '../../test/tenants/scope.test.ts'),
  file('migrations/0001_spine.ts', '../src/platform/database.ts'),
  file('test/tenants/scope.test.ts', '../../src/tenants/scope.ts', 'local-google'),
  file('bin/check.ts', '../src/platform/database.ts'),
];

describe('the import rule', () => {
  it('accepts the house as it is meant to be', () => {
    expect(findViolations(house)).toEqual([]);
  });

  it('fails on an empty tree, and names every part that it did not see', () => {
    expect(findViolations([]).map(({ file: part }) => part)).toContain('deliveries');
  });

  it.each([
    ['src/platform/database.ts', '../google/gmail.ts', 'platform imports only itself'],
    ['src/google/gmail.ts', '../tenants/scope.ts', 'google may import platform'],
    ['src/tenants/scope.ts', '../documents/store.ts', 'tenants may import google, platform'],
    ['src/tenants/scope.ts', '../mailboxes/sender.ts', 'tenants may import google, platform'],
    ['src/documents/store.ts', '../mailboxes/sender.ts', 'documents may import tenants, google, platform'],
    ['src/mailboxes/sender.ts', '../documents/store.ts', 'mailboxes may import tenants, google, platform'],
    ['src/deliveries/create.ts', '../web/app.ts', 'deliveries may import documents,'],
    ['src/deliveries/create.ts', '../google/gmail.ts', 'deliveries may import documents, transport,'],
    ['src/transport/transport.ts', '../deliveries/create.ts', 'transport may import mailboxes,'],
    ['src/web/app.ts', 'local-google', 'web may import deliveries,'],
    ['local-google/src/world.ts', '../../src/platform/database.ts', 'local-google imports only itself'],
    ['local-google/test/world.test.ts', '../../src/web/app.ts', 'local-google/test may import local-google, test'],
    ['src/platform/database.ts', '../../test/tenants/scope.test.ts', 'platform imports only itself'],
    ['src/web/app.ts', '../../bin/check.ts', 'web may import deliveries,'],
    ['migrations/0001_spine.ts', '../src/tenants/scope.ts', 'migrations may import platform'],
  ])('refuses %s importing %s', (name, specifier, rule) => {
    const planted = house.map((known) => (known.name === name ? file(name, ...specifiers(known), specifier) : known));
    const wrong = findViolations(planted).filter((violation) => !violation.what.startsWith('closes a circle'));
    expect(wrong).toEqual([
      { file: name, line: expect.any(Number), what: expect.stringMatching(/^imports /), rule: expect.any(String) },
    ]);
    expect(wrong[0]?.rule).toContain(rule);
  });

  it('lets commands start everything, and nothing but main start them', () => {
    expect(findViolations([...house, file('src/commands/chaos.ts', 'local-google', '../web/app.ts')])).toEqual([]);
    const back = findViolations([
      ...house,
      file('src/commands/chaos.ts'),
      file('src/web/chaos.ts', '../commands/chaos.ts'),
    ]);
    expect(back).toMatchObject([{ file: 'src/web/chaos.ts', what: 'imports src/commands/chaos.ts' }]);
  });

  it('reports a circle between files once, with all of its files', () => {
    const circle = [
      file('src/documents/a.ts', './b.ts'),
      file('src/documents/b.ts', './c.ts'),
      file('src/documents/c.ts', './a.ts'),
    ];
    expect(findViolations([...house, ...circle])).toEqual([
      {
        file: 'src/documents/c.ts',
        line: 1,
        what: 'closes a circle: src/documents/a.ts → src/documents/b.ts → src/documents/c.ts → src/documents/a.ts',
        rule: 'no cycles between files',
      },
    ]);
  });

  it('refuses a folder that has no place in the house, and an import of a file that it did not read', () => {
    expect(findViolations([...house, file('src/helpers/text.ts')])).toMatchObject([{ what: 'is in no known part' }]);
    expect(findViolations([...house, file('src/web/a.ts', './gone.ts')])).toMatchObject([
      { what: 'imports src/web/gone.ts' },
    ]);
  });

  it('knows the parts by their folders', () => {
    expect(partOf('src/web/pages/list.ts')).toBe('web');
    expect(partOf('src/main.ts')).toBe('main');
    expect(partOf('src/stray.ts')).toBeUndefined();
    expect(partOf('migrations/0001_spine.ts')).toBe('migrations');
  });
});

describe('reading the files', () => {
  let root: string;

  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), 'letterhead-imports-'));
    mkdirSync(path.join(root, 'src', 'web'), { recursive: true });
    writeFileSync(path.join(root, 'tsconfig.json'), '{"compilerOptions": {"types": []}, "include": ["src"]}');
  });

  afterEach(() => rmSync(root, { recursive: true }));

  it('sees every way to import, with its line, and nothing that only looks like one', () => {
    const source = [
      "import { a } from './a.ts';",
      "// import { no } from './comment.ts';",
      "import type { B } from './b.ts';",
      "export { c } from './c.ts';",
      "export * from './d.ts';",
      'const text = `import { no } from "./text.ts"`;',
      "const later = () => import('./e.ts');",
      "type F = import('./f.ts').F;",
      'import {',
      '  g,',
      "} from './g.ts';",
      "import './h.ts';",
    ];
    writeFileSync(path.join(root, 'src', 'web', 'app.ts'), source.join('\n'));
    const [read] = readSourceFiles(root);
    expect(read?.name).toBe('src/web/app.ts');
    expect(read?.imports.map(({ line, specifier }) => `${line} ${specifier}`).sort()).toEqual(
      ['1 ./a.ts', '3 ./b.ts', '4 ./c.ts', '5 ./d.ts', '7 ./e.ts', '8 ./f.ts', '11 ./g.ts', '12 ./h.ts'].sort(),
    );
  });

  it('refuses to go on when a file on disk is not part of the project', () => {
    mkdirSync(path.join(root, 'bench'));
    writeFileSync(path.join(root, 'bench', 'run.ts'), '');
    writeFileSync(path.join(root, 'src', 'web', 'app.ts'), '');
    expect(() => readSourceFiles(root)).toThrow('bench/run.ts is not part of the project');
  });
});

function file(name: string, ...imported: string[]): SourceFile {
  return { name, imports: imported.map((specifier, index) => ({ line: index + 1, specifier })) };
}

function specifiers({ imports }: SourceFile): string[] {
  return imports.map(({ specifier }) => specifier);
}
