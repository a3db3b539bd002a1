import { createServer } from 'node:net';

/** The first of `preferred` that is free on 127.0.0.1, else any free port. */
export async function findFreePort(preferred: readonly (number | undefined)[]): Promise<number> {
  for (const port of preferred) {
    if (port !== undefined && (await tryPort(port)) !== undefined) return port;
  }
  const free = await tryPort(0);
  if (free === undefined) throw new Error('The system has no free port on 127.0.0.1.');
  return free;
}

function tryPort(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : undefined));
    });
  });
}
