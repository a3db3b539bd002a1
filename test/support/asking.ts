import { subscribe } from 'node:diagnostics_channel';
import { ClientRequest } from 'node:http';

/** Requests of this process that are not answered whole, by the host that is asked: those of `node:http`, and of `fetch`. */
const asking = new Map<object, string>();

subscribe('http.client.request.created', (message) => {
  const request = Reflect.get(Object(message), 'request');
  if (!(request instanceof ClientRequest)) return;
  asking.set(request, String(request.getHeader('host')));
  request.once('close', () => asking.delete(request));
});
subscribe('undici:request:create', (message) => {
  const request = Object(Reflect.get(Object(message), 'request'));
  asking.set(request, new URL(String(Reflect.get(request, 'origin'))).host);
});
for (const end of ['undici:request:trailers', 'undici:request:error'])
  subscribe(end, (message) => void asking.delete(Object(Reflect.get(Object(message), 'request'))));

/** How many requests to a server are under way, from before the connection is made until the whole answer is there. */
export function askedOf(url: string): number {
  const { host } = new URL(url);
  return [...asking.values()].filter((asked) => asked === host).length;
}
