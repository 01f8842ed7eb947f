import type { AdminRoute } from '../ports/capability.ts';
import type { Json } from '../ports/catalog.ts';

const PATH = '/admin/openapi.json';
const PARAMETER = /\{(\w+)(\+?)\}/g;

/** `GET /admin/openapi.json`: these routes and itself as a document of OpenAPI 3.1. */
export function openApiRoute(routes: readonly AdminRoute[], version: string): AdminRoute {
  const doc = 'This document: all that is served below `/admin/`, as OpenAPI 3.1.';
  const own: AdminRoute = { method: 'GET', path: PATH, doc, handle: async () => document };
  const document = openApi([...routes, own], version);
  return own;
}

function openApi(routes: readonly AdminRoute[], version: string): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes) {
    const path = route.path.replace(PARAMETER, '{$1}');
    (paths[path] ??= {})[route.method.toLowerCase()] = operation(route);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'millrace: the admin paths of a node',
      version,
      description: 'Bodies are named in the text of each operation.',
    },
    paths,
    // Without `server.credentials` no signature is asked for.
    security: [{}, { signature: [] }],
    components: {
      securitySchemes: {
        signature: {
          type: 'apiKey',
          in: 'header',
          name: 'Authorization',
          description: 'An AWS signature, version 4, for the service `millrace`.',
        },
      },
      schemas: {
        Refusal: {
          type: 'object',
          required: ['error', 'message'],
          properties: { error: { type: 'string' }, message: { type: 'string' } },
        },
      },
    },
  };
}

function operation({ method, path, doc, query = {}, answersBytes }: AdminRoute): Json {
  const places = [...path.matchAll(PARAMETER)].map(([, name = '', rest]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
    ...(rest === '+' && { description: 'Goes to the end of the path, and may hold slashes.' }),
  }));
  const questions = Object.entries(query).map(([name, description]) => ({
    name,
    in: 'query',
    description,
    schema: { type: 'string' },
  }));
  const parameters = [...places, ...questions];
  const type = answersBytes === true ? 'application/octet-stream' : 'application/json';
  return {
    operationId: operationId(method, path),
    description: doc,
    tags: [path.split('/')[2] ?? ''],
    ...(parameters.length > 0 && { parameters }),
    ...(method === 'POST' && { requestBody: { content: { 'application/json': {} } } }),
    responses: {
      200: { description: 'It was done.', content: { [type]: {} } },
      default: {
        description: 'It was refused.',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Refusal' } } },
      },
    },
  };
}

/** `getDeliveriesNameRecordsId`. */
function operationId(method: string, path: string): string {
  const words = path.match(/\w+/g)?.slice(1) ?? [];
  return method.toLowerCase() + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}
