/** Who may import whom. ARCHITECTURE.md prints this table; a test compares the two. */

/** A room's rights: which rooms and which packages its files may import. */
export interface Door {
  readonly room: string;
  readonly mayImport: readonly string[];
  readonly packages: readonly string[];
}

/** One row of the table; `room` is a folder under src/, and `x/*` makes every folder below it a room of its own. */
export const DOORS: readonly Door[] = [
  { room: 'kernel', mayImport: [], packages: [] },
  { room: 'ports', mayImport: ['kernel'], packages: [] },
  { room: 'wire', mayImport: ['ports', 'kernel'], packages: [] },
  { room: 'environments', mayImport: ['ports', 'kernel'], packages: [] },
  { room: 'engines/*', mayImport: ['ports', 'kernel'], packages: [] },
  { room: 'config', mayImport: ['ports', 'kernel'], packages: ['yaml'] },
  { room: 'destinations/*', mayImport: ['ports', 'kernel', 'wire'], packages: [] },
  { room: 'sources/*', mayImport: ['ports', 'kernel', 'wire'], packages: [] },
  { room: 'capabilities/*', mayImport: ['ports', 'kernel', 'wire'], packages: [] },
  {
    room: 'drivers/*',
    mayImport: ['ports', 'kernel', 'wire'],
    packages: [
      'mongodb',
      'bson',
      'quickjs-emscripten-core',
      '@jitl/quickjs-ng-wasmfile-release-sync',
      '@aws-sdk/client-s3',
      'ajv',
    ],
  },
  { room: 'conformance', mayImport: [], packages: [] },
  { room: 'cli', mayImport: ['ports', 'kernel'], packages: ['commander'] },
  {
    room: 'testing',
    mayImport: [
      'kernel',
      'ports',
      'wire',
      'environments',
      'drivers',
      'engines',
      'config',
      'destinations',
      'sources',
      'capabilities',
      'cli',
      'registry',
      'compose',
    ],
    packages: ['bson'],
  },
  { room: 'registry', mayImport: ['kernel', 'ports', 'capabilities', 'destinations', 'sources'], packages: [] },
  {
    room: 'compose',
    mayImport: ['kernel', 'ports', 'wire', 'environments', 'engines', 'config', 'registry'],
    packages: [],
  },
  {
    room: 'main',
    mayImport: [
      'kernel',
      'ports',
      'wire',
      'environments',
      'drivers',
      'engines',
      'config',
      'registry',
      'compose',
      'cli',
      'capabilities',
    ],
    packages: [],
  },
];

/** The door of the room a file belongs to; `path` starts with `src/`. A file in no room may import nothing. */
export function doorFor(path: string): Door {
  const parts = path
    .replace(/^src\//, '')
    .replace(/\.ts$/, '')
    .split('/');
  const top = parts[0] ?? '';
  const row = DOORS.find((door) => door.room === top || door.room === `${top}/*`);
  if (row === undefined) return { room: top, mayImport: [], packages: [] };
  return row.room.endsWith('/*') ? { ...row, room: `${top}/${parts[1] ?? ''}` } : row;
}

/** The table as ARCHITECTURE.md prints it. */
export function doorsTable(): string {
  const rows = DOORS.map((door) => {
    const rooms = door.mayImport.length === 0 ? 'nothing' : door.mayImport.join(', ');
    const packages = door.packages.length === 0 ? '' : `; packages: ${door.packages.join(', ')}`;
    return `| ${door.room} | ${rooms}${packages} |`;
  });
  return ['| room | may import |', '|---|---|', ...rows].join('\n');
}
