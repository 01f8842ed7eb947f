import * as s from '../../../kernel/schema/declare.ts';
import type { Json } from '../../../ports/catalog.ts';
import type { AnyDestination } from '../../../ports/destination.ts';
import { operation, type Operation } from '../../../ports/operation.ts';
import { chosenKind, destinationKinds, kindMembers, type ChosenKind } from '../destination-kinds.ts';
import { backupProblem, refuse, secretProblem, updatedOptions } from '../destination-update.ts';
import { firehoseError } from '../errors.ts';
import type { DeliveryStream, FirehoseState } from '../model.ts';
import { deliveryStreamName, DESTINATION_ID, destinationId, TARGET, versionId } from '../shapes.ts';
import { fileWordProblem, optionsProblem } from '../target-problem.ts';

const common = {
  DeliveryStreamName: deliveryStreamName,
  CurrentDeliveryStreamVersionId: versionId,
  DestinationId: destinationId,
};

type Request = s.Static<s.StructSchema<typeof common>> & Readonly<Record<string, unknown>>;

/** Changes the options of the destination; what is delivered after the answer goes by them. */
export function updateDestination(destinations: readonly AnyDestination[]): Operation<FirehoseState> {
  const kinds = destinationKinds(destinations);
  return operation<FirehoseState>()({
    name: 'UpdateDestination',
    target: TARGET,
    input: s.struct({ ...common, ...kindMembers(kinds, 'update') }),
    output: s.struct({}),
    errors: ['ConcurrentModificationException', 'InvalidArgumentException', 'ResourceNotFoundException'],
    plane: 'control',
    doc: 'Changes the options of the destination, not its kind; members that are not named keep their value.',
    async handle(given, { state }) {
      const request = given as Request;
      const chosen = chosenKind(kinds, 'update', request);
      const { deliveries, environment } = state;
      await deliveries.change(request.DeliveryStreamName, (current) => {
        checkAddress(request, current);
        return {
          ...current,
          target: { kind: current.target.kind, options: newOptions(current, chosen, state) },
          version: current.version + 1,
          updatedAt: environment.clock.now(),
        };
      });
      return {};
    },
  });
}

function checkAddress({ CurrentDeliveryStreamVersionId, DestinationId }: Request, current: DeliveryStream): void {
  if (CurrentDeliveryStreamVersionId !== String(current.version)) {
    // AWS's words (observed).
    const sentence =
      `Cannot update firehose: ${current.name} since the current version id: ${current.version} ` +
      `and specified version id: ${CurrentDeliveryStreamVersionId} do not match`;
    throw firehoseError('ConcurrentModificationException', sentence);
  }
  if (DestinationId !== DESTINATION_ID) refuse(`Destination Id ${DestinationId} not found`);
}

/** Of the kinds that are built none can become another (service model and documentation). */
function newOptions(
  { name, target }: DeliveryStream,
  { destination, said }: ChosenKind,
  { destinations, http }: FirehoseState,
): Json {
  if (target.kind !== destination.name) {
    refuse(`The destination of ${name} is of the kind ${target.kind}: it cannot become ${destination.name}.`);
  }
  const former = target.options as Readonly<Record<string, unknown>>;
  refuse(secretProblem(destination.options, former, said));
  const options = updatedOptions(destination.options, former, said);
  const updated = { kind: target.kind, options: options as Json };
  // What stays may be of a file, which says more than a request may.
  refuse(
    optionsProblem(updated, destinations, http) ??
      backupProblem(former, options) ??
      fileWordProblem(updated, destinations, target),
  );
  return updated.options;
}
