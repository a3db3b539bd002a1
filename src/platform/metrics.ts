import { createServer } from 'node:http';
import { collectDefaultMetrics, Registry } from 'prom-client';

/** Numbers about this process, as Prometheus reads them. */
export interface Metrics {
  /** The text of `/metrics`. */
  text(): Promise<string>;
}

/**
 * Watches the process itself. `letterhead_nodejs_eventloop_lag_max_seconds` is the longest that anything kept everything
 * else waiting since it was last asked: above a quarter of a second, something is wrong.
 */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'letterhead_', eventLoopMonitoringPrecision: 10 });
  return { text: () => registry.metrics() };
}

/**
 * Serves them on a port of their own, apart from the pages: what they tell is for whoever runs Letterhead.
 *
 * @returns stops it
 * @throws Node's error when the port cannot be had
 */
export async function serveMetrics(metrics: Metrics, port: number, host: string): Promise<() => Promise<unknown>> {
  const server = createServer(async (req, res) => {
    if (req.url !== '/metrics') return void res.writeHead(404).end();
    res.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(await metrics.text());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
}
