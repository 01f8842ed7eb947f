import { allowProblem, OutgoingRules, type OwnListener } from '../kernel/net/outgoing-rules.ts';
import { printFinding, type ConfigFinding } from '../kernel/schema/config-finding.ts';
import { checkConfig, type ConfigPath, type Problem } from '../kernel/schema/check-config.ts';
import type { UrlRules } from '../ports/http-client.ts';
import { credentialProblems, functionAllowProblems } from './credentials.ts';
import { literalSecrets } from './literal-secrets.ts';
import { openSearchProblems, type OpenSearchSection } from './opensearch.ts';
import {
  configSchema,
  type ConfigSection,
  type EngineOptions,
  type LimitsOptions,
  type OutgoingSection,
  type S3SectionOptions,
  type ServerOptions,
} from './schema.ts';
import { shownSecrets } from './shown-secrets.ts';
import { substitute, type Variables } from './substitute.ts';
import { readYaml, type ConfigFile } from './yaml-file.ts';

export type { OpenSearchSection } from './opensearch.ts';
export type { EngineOptions, LimitsOptions, OutgoingSection, S3SectionOptions, ServerOptions } from './schema.ts';

/** What a config is checked with. */
export interface ConfigOptions {
  /** As people know the file; stands before each problem. */
  readonly name: string;
  readonly sections: readonly ConfigSection[];
  readonly variables: Variables;
  readonly mode: 'dev' | 'start';
  /** The node's own listeners as far as they are known: they may always be asked. */
  readonly own: readonly OwnListener[];
}

/** A checked config. */
export interface Config {
  readonly server: ServerOptions;
  readonly engine: EngineOptions;
  readonly limits: LimitsOptions;
  readonly outgoing: OutgoingSection;
  /** Absent: buckets are folders. */
  readonly s3?: S3SectionOptions;
  /** Absent: clusters are asked without proof. */
  readonly opensearch?: OpenSearchSection;
  /** By their top-level word. */
  readonly sections: Readonly<Record<string, unknown>>;
}

/** A checked config with what is known of its file. */
export interface LoadedConfig {
  readonly config: Config;
  /** Names of the secrets it uses. */
  readonly secrets: ReadonlySet<string>;
  /** Where secrets stand as they are; of values from a module nobody can tell. */
  readonly literalSecrets: readonly ConfigPath[];
  /** Something to say about what stands at that path. */
  readonly finding: (path: ConfigPath, message: string) => ConfigFinding;
  /** Which servers it lets be asked. */
  readonly urls: UrlRules;
}

/** Why a config cannot be used: one line for each problem, `file:line:col path: what, expected, hint`. */
export class InvalidConfig extends Error {
  override readonly name = 'InvalidConfig';
  readonly findings: readonly ConfigFinding[];

  constructor(findings: readonly ConfigFinding[]) {
    super(findings.map(printFinding).join('\n'));
    this.findings = findings;
  }
}

/** Reads and checks the text of a YAML file. Throws InvalidConfig. */
export function loadConfig(text: string, options: ConfigOptions): LoadedConfig {
  return check(readYaml(text), options);
}

/** Checks values that come from a module. Throws InvalidConfig. */
export function loadConfigValue(value: unknown, options: ConfigOptions): LoadedConfig {
  const loaded = check({ value, locate: () => undefined, faults: [] }, options);
  return { ...loaded, literalSecrets: [] };
}

/** The value of `secrets.file` as it stands in the text, before anything else is looked at; undefined when absent. */
export function secretsFileOf(text: string): string | undefined {
  return secretsFileOfValue(readYaml(text).value);
}

/** The same of values that come from a module. */
export function secretsFileOfValue(value: unknown): string | undefined {
  const file = (value as { secrets?: { file?: unknown } } | null | undefined)?.secrets?.file;
  return typeof file === 'string' ? file : undefined;
}

/** The secrets of such a file. Throws InvalidConfig. */
export function readSecrets(text: string, name: string): Readonly<Record<string, string>> {
  const { value, faults } = readYaml(text);
  const [fault] = faults;
  if (fault !== undefined)
    throw new InvalidConfig([{ file: name, ...fault.position, path: '', message: fault.message }]);
  const entries = Object.entries((value ?? {}) as Record<string, unknown>);
  const wrong = entries.filter(([, secret]) => typeof secret !== 'string' && typeof secret !== 'number');
  if (typeof value !== 'object' || Array.isArray(value) || wrong.length > 0) {
    throw new InvalidConfig([{ file: name, path: '', message: 'expected a mapping of names to texts' }]);
  }
  return Object.fromEntries(entries.map(([key, secret]) => [key, String(secret)]));
}

function check(file: ConfigFile, options: ConfigOptions): LoadedConfig {
  const { name } = options;
  if (file.faults.length > 0) {
    throw new InvalidConfig(
      file.faults.map(({ position, message }) => ({ file: name, ...position, path: '', message })),
    );
  }
  const schema = configSchema(options.sections);
  const substituted = substitute(schema, file.value ?? {}, options.variables);
  const shape = checkConfig(schema, substituted.value);
  const shown = shownSecrets(schema, substituted.secretPaths);
  const misplaced = [...substituted.problems, ...shown.filter(isNewBeside(substituted.problems))];
  // An empty text where a placeholder found nothing is no second problem.
  const isNew = isNewBeside(misplaced);
  const isSecret = ({ path }: Problem): boolean => substituted.secretPaths.some((one) => samePath(one, path));
  const found = shape.filter(isNew).map((problem) => (isSecret(problem) ? withoutValue(problem) : problem));
  const problems = [...misplaced, ...found];
  const value = substituted.value as Readonly<Record<string, unknown>>;
  const urls = urlRules(value, options);
  if (problems.length === 0) {
    const { credentials = [] } = (value['server'] ?? {}) as ServerOptions;
    problems.push(...engineProblems(value['engine']), ...credentialProblems(credentials, options.sections));
    problems.push(...functionAllowProblems(value['functions'], options.sections));
    problems.push(...outgoingProblems(value['outgoing']), ...openSearchProblems(value['opensearch']));
    problems.push(...sectionProblems(value, options, urls));
  }
  const finding = (path: ConfigPath, message: string): ConfigFinding => {
    return { file: name, ...file.locate(path), path: path.join('.'), message };
  };
  if (problems.length > 0) throw new InvalidConfig(problems.map((one) => finding(one.path, sentence(one))));
  const { secrets } = substituted;
  const literal = literalSecrets(schema, file.value);
  return { config: configOf(value, options), secrets, literalSecrets: literal, finding, urls };
}

function configOf(value: Readonly<Record<string, unknown>>, options: ConfigOptions): Config {
  const sections = options.sections.map(({ section }) => [section, value[section]] as const);
  return {
    server: value['server'] ?? {},
    engine: value['engine'] ?? {},
    limits: limitsOf(value['limits']),
    outgoing: value['outgoing'] ?? {},
    ...(value['s3'] !== undefined && { s3: value['s3'] as S3SectionOptions }),
    ...(value['opensearch'] !== undefined && { opensearch: value['opensearch'] as OpenSearchSection }),
    sections: Object.fromEntries(sections.filter(([, given]) => given !== undefined)),
  };
}

/** `off` is the absence of throughput limits, not of these bounds. */
function limitsOf(checked: unknown): LimitsOptions {
  return typeof checked === 'object' && checked !== null ? checked : {};
}

/** Some problems repeat the value that they are about. */
function withoutValue({ path, expected }: Problem): Problem {
  return { path, what: 'the secret does not fit', expected, hint: '' };
}

/** What the shape of the engine's options alone cannot say. */
function engineProblems(engine: unknown): Problem[] {
  const { segmentLog } = (engine ?? {}) as { segmentLog?: { sync?: string; intervalMs?: number } };
  if (segmentLog?.intervalMs === undefined || segmentLog.sync === 'interval') return [];
  const what = `intervalMs is for sync: interval, and sync is ${segmentLog.sync ?? 'always'}`;
  return [{ path: ['engine', 'segmentLog', 'intervalMs'], what, expected: '', hint: '' }];
}

/** What the shape of `outgoing` alone cannot say. */
function outgoingProblems(outgoing: unknown): Problem[] {
  const { allow = [] } = (outgoing ?? {}) as OutgoingSection;
  return allow.flatMap((entry, index) => {
    const problem = allowProblem(entry);
    if (problem === undefined) return [];
    return [{ path: ['outgoing', 'allow', index], what: `${entry} ${problem}`, expected: '', hint: '' }];
  });
}

function urlRules(value: Readonly<Record<string, unknown>>, { mode, own }: ConfigOptions): UrlRules {
  const { allow = [] } = (value['outgoing'] ?? {}) as OutgoingSection;
  const rules = new OutgoingRules({ mode, allow, own });
  return { problem: (url) => rules.urlProblem(url) };
}

function sectionProblems(
  value: Readonly<Record<string, unknown>>,
  { sections, mode }: ConfigOptions,
  urls: UrlRules,
): Problem[] {
  return sections.flatMap((capability) => {
    const given = value[capability.section];
    if (given === undefined || given === null) return [];
    const found = capability.problems?.(given as never, mode, urls) ?? [];
    return found.map(({ path, message }) => ({
      path: [capability.section, ...path],
      what: message,
      expected: '',
      hint: '',
    }));
  });
}

function sentence({ what, expected, hint }: Problem): string {
  const words = [what, expected === '' ? '' : `expected ${expected}`, hint];
  return words.filter((word) => word !== '').join(', ');
}

function isNewBeside(known: readonly Problem[]): (problem: Problem) => boolean {
  return ({ path }) => !known.some((one) => samePath(one.path, path));
}

function samePath(one: ConfigPath, other: ConfigPath): boolean {
  return one.length === other.length && one.every((step, index) => step === other[index]);
}
