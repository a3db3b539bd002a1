import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type DatabasePool, openDatabase } from '../../src/platform/database.ts';

/** A pool whose line to PostgreSQL can be cut. */
export interface DatabaseLine extends DatabasePool {
  /** Every connection, now. */
  cut(): void;
  /** The next commit reaches PostgreSQL and is done, and the line is cut before anybody hears of it. */
  cutAfterNextCommit(): void;
  /** Resolves when that has happened. */
  readonly cutInCommit: Promise<void>;
}

/** Opens a pool over a line that passes everything on, until it is cut. */
export async function databaseLine(url: string): Promise<DatabaseLine> {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  const { promise: cutInCommit, resolve: wasCut } = Promise.withResolvers<void>();
  let armed = false;

  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    let silent = false;
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.on('data', (bytes) => {
      if (armed && bytes.includes('commit\0')) {
        armed = false;
        silent = true;
      }
      far.write(bytes);
    });
    far.on('data', (bytes) => {
      if (!silent) {
        near.write(bytes);
        return;
      }
      wasCut();
      near.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const through = new URL(target);
  through.host = `127.0.0.1:${port}`;
  const pool = openDatabase(through.href, 5, () => {});
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    ...pool,
    cut,
    cutAfterNextCommit() {
      armed = true;
    },
    cutInCommit,
    async close() {
      await pool.close();
      cut();
      server.close();
    },
  };
}
