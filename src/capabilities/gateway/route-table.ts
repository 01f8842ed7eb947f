import type { Route } from './route.ts';
import { compareRoutePaths, matchRoutePath } from './route-path.ts';

/** The route of a request. */
export interface Match {
  readonly route: Route;
  readonly parameters: Readonly<Record<string, string>>;
}

/** Routes of one path, by method. */
type Methods = ReadonlyMap<string, Route>;

const NO_PARAMETERS = {};

/**
 * Routes by what API Gateway looks at: the most specific path that has the method, and of one path the method itself
 * before ANY.
 */
export class RouteTable {
  readonly all: readonly Route[];
  readonly #byKey: ReadonlyMap<string, Route>;
  readonly #literal: ReadonlyMap<string, Methods>;
  readonly #patterns: readonly Methods[];

  constructor(routes: readonly Route[]) {
    this.all = routes;
    this.#byKey = new Map(routes.map((route) => [route.key, route]));
    const paths = new Map<string, Map<string, Route>>();
    for (const route of routes) {
      const methods = paths.get(route.path.text) ?? new Map<string, Route>();
      paths.set(route.path.text, methods.set(route.method, route));
    }
    this.#literal = new Map([...paths].filter(([, methods]) => pathOf(methods)?.isLiteral === true));
    this.#patterns = [...paths.values()]
      .filter((methods) => pathOf(methods)?.isLiteral === false)
      .sort((left, right) => compare(left, right));
  }

  /** The route of a method and a path; undefined when there is none. */
  find(method: string, path: string): Match | undefined {
    const literal = routeIn(this.#literal.get(path), method);
    if (literal !== undefined) return { route: literal, parameters: NO_PARAMETERS };
    for (const methods of this.#patterns) {
      const route = routeIn(methods, method);
      const parameters = route === undefined ? undefined : matchRoutePath(route.path, path);
      if (route !== undefined && parameters !== undefined) return { route, parameters };
    }
    return undefined;
  }

  /** The route that the file says by this key; undefined when there is none. */
  named(key: string): Route | undefined {
    return this.#byKey.get(key);
  }

  /** Methods that the path has routes for; none: there is no such path. */
  methods(path: string): readonly string[] {
    const fitting = this.all.filter((route) => matchRoutePath(route.path, path) !== undefined);
    return [...new Set(fitting.map(({ method }) => method))].sort();
  }
}

function routeIn(methods: Methods | undefined, method: string): Route | undefined {
  return methods?.get(method) ?? methods?.get('ANY');
}

function pathOf(methods: Methods): Route['path'] | undefined {
  return [...methods.values()][0]?.path;
}

function compare(left: Methods, right: Methods): number {
  const [one, other] = [pathOf(left), pathOf(right)];
  return one === undefined || other === undefined ? 0 : compareRoutePaths(one, other);
}
