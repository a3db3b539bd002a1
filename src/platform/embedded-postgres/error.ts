/** What kept the embedded database from starting. */
export type EmbeddedPostgresErrorCode =
  | 'in_use'
  | 'disk_full'
  | 'not_permitted'
  | 'port_in_use'
  | 'binaries'
  | 'other_version'
  | 'no_account'
  | 'failed';

/** The embedded database could not be started; `message` says what happened and what to do about it. */
export class EmbeddedPostgresError extends Error {
  override readonly name = 'EmbeddedPostgresError';
  readonly code: EmbeddedPostgresErrorCode;

  constructor(code: EmbeddedPostgresErrorCode, happened: string, todo: string, options?: ErrorOptions) {
    super(`${happened} ${todo}`, options);
    this.code = code;
  }
}

const OWN_SERVER = 'or set DATABASE_URL to a PostgreSQL server of your own.';

const KNOWN: { pattern: RegExp; code: EmbeddedPostgresErrorCode; meaning: string; todo: string }[] = [
  {
    pattern: /no space left on device|disk quota exceeded|check free disk space/i,
    code: 'disk_full',
    meaning: 'the disk is full',
    todo: `Free some space (Letterhead needs about 100 MB to begin) and start again, ${OWN_SERVER}`,
  },
  {
    pattern: /could not bind .*address|address already in use/i,
    code: 'port_in_use',
    meaning: 'another program listens on its port',
    todo: 'Stop that program, or leave the port out so that a free one is used.',
  },
  {
    pattern:
      /error while loading shared libraries|version `GLIBC|library not loaded|not found.*symbol|exec format error/i,
    code: 'binaries',
    meaning: 'the PostgreSQL that came with the packages does not run on this system (it needs glibc on Linux)',
    todo: `Delete node_modules and start again, ${OWN_SERVER}`,
  },
  {
    pattern: /initialized by PostgreSQL version|incompatible with server/i,
    code: 'other_version',
    meaning: 'its files were written by another version of PostgreSQL',
    todo: `Go back to the version of Letterhead that wrote them and dump the data, ${OWN_SERVER}`,
  },
  {
    pattern: /permission denied|EACCES|EPERM|operation not permitted|has wrong ownership/i,
    code: 'not_permitted',
    meaning: 'its folder is closed to the user that runs it',
    todo: `Run Letterhead as the user that owns the folder, ${OWN_SERVER}`,
  },
  {
    pattern: /could not (create|resize|map|open|attach).*shared memory|semget|shmget/i,
    code: 'failed',
    meaning: 'the system gave it no shared memory',
    todo: `In a container, raise its shared memory (for example --shm-size=256m), ${OWN_SERVER}`,
  },
  {
    pattern: /locale/i,
    code: 'failed',
    meaning: 'it does not know the locale it was asked for',
    todo: `Start again with LC_ALL=C, ${OWN_SERVER}`,
  },
];

/** Turns what initdb, postgres or the system printed into an error for people; `step` reads like "PostgreSQL did not start". */
export function explainFailure(step: string, output: string, cause?: unknown): EmbeddedPostgresError {
  const options = cause === undefined ? undefined : { cause };
  const said = output.trim().split('\n').slice(-6).join('\n');
  const known = KNOWN.find(({ pattern }) => pattern.test(output));
  if (known)
    return new EmbeddedPostgresError(known.code, `${step}: ${known.meaning}.`, `${known.todo}\n${said}`, options);
  return new EmbeddedPostgresError(
    'failed',
    `${step}.`,
    `Read what it said, ${OWN_SERVER}\n${said || 'It said nothing.'}`,
    options,
  );
}
