import { endpointVariables } from '../kernel/endpoint-variables.ts';
import type { Environment } from '../ports/environment.ts';
import type { Identity } from '../ports/capability.ts';
import type { FunctionSurroundings, Surroundings } from '../ports/function-runtime.ts';
import type { Gate } from '../wire/sigv4/gate.ts';
import type { Credential } from '../wire/sigv4/principal.ts';

/** What is known once the listeners are open. */
export interface NodeAddresses {
  readonly api: string;
  readonly gateway: string;
  /** PEM file with all that a client has to trust, where the api listener speaks TLS only. */
  readonly trustFile?: string;
}

interface Opened {
  readonly addresses: NodeAddresses;
  readonly gate: Gate;
  readonly dataActions: readonly string[];
}

const ID_BYTES = 10;
const SECRET_BYTES = 30;

function ownerOf(name: string): string {
  return `function/${name}`;
}

/** Lends the node to the users' handlers: addresses, and for each function a key pair as long as the node runs. */
export class NodeSurroundings implements FunctionSurroundings {
  readonly #identity: Identity;
  readonly #environment: Environment;
  readonly #pairs = new Map<string, Pick<Credential, 'accessKeyId' | 'secretAccessKey'>>();
  readonly #opened: Promise<Opened>;
  #open: (opened: Opened) => void = () => undefined;

  constructor(identity: Identity, environment: Environment) {
    this.#identity = identity;
    this.#environment = environment;
    this.#opened = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  /** The listeners answer; `dataActions` are what every function may do. */
  open(addresses: NodeAddresses, gate: Gate, dataActions: readonly string[]): void {
    this.#open({ addresses, gate, dataActions });
  }

  async of(name: string, allow: readonly string[]): Promise<Surroundings> {
    const { addresses, gate, dataActions } = await this.#opened;
    const pair = this.#pair(name);
    gate.lend(ownerOf(name), { ...pair, allow: [...dataActions, ...allow] });
    const { api, gateway, trustFile } = addresses;
    const { region } = this.#identity;
    return {
      api,
      gateway,
      variables: {
        AWS_REGION: region,
        AWS_DEFAULT_REGION: region,
        AWS_ACCESS_KEY_ID: pair.accessKeyId,
        AWS_SECRET_ACCESS_KEY: pair.secretAccessKey,
        ...endpointVariables(api),
        ...(trustFile !== undefined && { AWS_CA_BUNDLE: trustFile, NODE_EXTRA_CA_CERTS: trustFile }),
      },
    };
  }

  async forget(name: string): Promise<void> {
    if (!this.#pairs.delete(name)) return;
    const { gate } = await this.#opened;
    gate.takeBack(ownerOf(name));
  }

  #pair(name: string): Pick<Credential, 'accessKeyId' | 'secretAccessKey'> {
    const known = this.#pairs.get(name);
    if (known !== undefined) return known;
    const { random } = this.#environment;
    const pair = {
      accessKeyId: `MRFN${Buffer.from(random.bytes(ID_BYTES)).toString('hex').toUpperCase().slice(0, 16)}`,
      secretAccessKey: Buffer.from(random.bytes(SECRET_BYTES)).toString('base64url'),
    };
    this.#pairs.set(name, pair);
    return pair;
  }
}
