import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkLock } from '../../bin/check-lock.ts';

const SYSTEMS = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64', 'win32-x64', 'win32-arm64'];

/** A lock with one package that brings builds for these systems, all of which it names. */
function lockWith(systems: readonly string[], entries: Record<string, object> = {}): string {
  const build = (system: string) => `@tool/${system}`;
  const packages = {
    '': { dependencies: { tool: '^1.0.0' } },
    'node_modules/tool': {
      optionalDependencies: Object.fromEntries(systems.map((system) => [build(system), '1.0.0'])),
    },
    ...Object.fromEntries(
      systems.map((system) => {
        const [os, cpu] = system.split('-');
        return [`node_modules/${build(system)}`, { os: [os], cpu: [cpu] }];
      }),
    ),
    ...entries,
  };
  return JSON.stringify({ lockfileVersion: 3, packages });
}

describe('the check of the lock', () => {
  it('finds our own lock whole', () => {
    const { packages, builds, gaps } = checkLock(
      readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8'),
    );
    expect(gaps).toEqual([]);
    expect(packages).toBeGreaterThan(100);
    expect(builds).toBeGreaterThan(3);
  });

  it('accepts builds for all six systems', () => {
    expect(checkLock(lockWith(SYSTEMS))).toEqual({ packages: 8, builds: 1, gaps: [] });
  });

  it.each(SYSTEMS)('names a system without a build: %s', (system) => {
    const others = SYSTEMS.filter((other) => other !== system);
    expect(checkLock(lockWith(others)).gaps).toEqual([`tool has no build for ${system}`]);
  });

  it('names an optional package that has no entry, as npm leaves it out where it cannot see it', () => {
    const { packages } = JSON.parse(lockWith(SYSTEMS));
    delete packages['node_modules/@tool/darwin-arm64'];
    expect(checkLock(JSON.stringify({ packages })).gaps).toEqual([
      'tool needs @tool/darwin-arm64: no entry',
      'tool has no build for darwin-arm64',
    ]);
  });

  it('looks beside a package first, then further up, and asks for no optional peer', () => {
    const nested = {
      'node_modules/tool/node_modules/part': { dependencies: { other: '1' }, peerDependencies: { free: '1' } },
      'node_modules/other': {},
    };
    expect(checkLock(lockWith(SYSTEMS, nested)).gaps).toEqual(['part needs free: no entry']);
    Object.assign(nested['node_modules/tool/node_modules/part'], {
      peerDependenciesMeta: { free: { optional: true } },
    });
    expect(checkLock(lockWith(SYSTEMS, nested)).gaps).toEqual([]);
  });

  it('looks for what a workspace needs in its own folder, then further up', () => {
    const workspace = { dependencies: { tool: '^1.0.0', absent: '^1.0.0' } };
    const lock = lockWith(SYSTEMS, { 'parts/workspace': workspace, 'node_modules/workspace': {} });
    expect(checkLock(lock).gaps).toEqual(['parts/workspace needs absent: no entry']);
  });

  it('fails on a lock without any build: it looked at the wrong file', () => {
    expect(checkLock('{"packages":{}}').gaps).toHaveLength(1);
  });
});
