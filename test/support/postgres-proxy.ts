import { connect, createServer, type Socket } from 'node:net';

/** A way to PostgreSQL on which connections can be lost at the worst moment. */
export interface PostgresProxy {
  /** The database by way of the proxy. */
  readonly url: string;
  /** How many connections were ended since `endAtOnce(true)`. */
  ended(): number;
  /**
   * Ends those that stand, and each new one as a server does that is going down: with the message that it is ready comes
   * the one that it ends, so that a client reads both in the same moment.
   */
  endAtOnce(yes: boolean): void;
  /** Lets nothing through and ends nothing, as a server that stands still, or a network that was cut. */
  standStill(yes: boolean): void;
  close(): Promise<void>;
}

/** Starts it in front of the database of this URL. */
export async function startPostgresProxy(url: string): Promise<PostgresProxy> {
  const real = new URL(url);
  const sockets = new Set<Socket>();
  let ending = false;
  let still = false;
  let ended = 0;
  const server = createServer((client) => {
    const upstream = connect(Number(real.port), real.hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.pipe(upstream);
    if (still) hold([client, upstream], true);
    upstream.on('data', (chunk) => {
      const last = ending && chunk.subarray(-6).equals(readyForQuery);
      if (last) ended += 1;
      if (last) client.end(Buffer.concat([chunk, goingDown]));
      else client.write(chunk);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('The proxy has no port.');
  const proxied = new URL(url);
  proxied.hostname = '127.0.0.1';
  proxied.port = String(address.port);
  const destroyAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: proxied.href,
    ended: () => ended,
    endAtOnce(yes) {
      ending = yes;
      if (yes) destroyAll();
    },
    standStill(yes) {
      still = yes;
      hold(sockets, yes);
    },
    close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      destroyAll();
      return closed;
    },
  };
}

function hold(sockets: Iterable<Socket>, yes: boolean): void {
  for (const socket of sockets) {
    if (yes) socket.pause();
    else socket.resume();
  }
}

const readyForQuery = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);
/** ErrorResponse (PostgreSQL, “Message Formats”): severity, code and message, each ended by a zero. */
const goingDown = errorResponse('SFATAL', 'VFATAL', 'C57P01', 'Mterminating connection due to administrator command');

function errorResponse(...fields: readonly string[]): Buffer {
  const body = Buffer.from(`${fields.map((field) => `${field}\0`).join('')}\0`);
  const head = Buffer.alloc(5);
  head.write('E');
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}
