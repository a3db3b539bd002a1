import type { Express } from 'express';
import { z } from 'zod';

const layerSchema = z.object({
  route: z
    .object({ path: z.union([z.string(), z.array(z.string())]), methods: z.record(z.string(), z.boolean()) })
    .optional(),
  handle: z.unknown(),
});
const routerSchema = z.object({ stack: z.array(layerSchema) });

/** Every route of the app as `GET /documents/:id`, read from Express's own routers, the nested ones too. */
export function routesOf(app: Express): string[] {
  return [...new Set(walk(app.router))].sort();
}

function walk(router: unknown): string[] {
  // A router is a function with a stack; zod looks at objects only.
  const stack = typeof router === 'function' && 'stack' in router ? router.stack : undefined;
  const layers = routerSchema.safeParse({ stack }).data?.stack ?? [];
  return layers.flatMap(({ route, handle }) => {
    if (!route) return walk(handle);
    const methods = Object.keys(route.methods).map((method) => method.toUpperCase());
    return [route.path].flat().flatMap((path) => methods.map((method) => `${method} ${path}`));
  });
}
