import { kinesisError } from './errors.ts';

/** Ends a request that was only to be tried, once all is checked that can be without doing it. */
export function endDryRun(request: { readonly DryRun?: boolean | undefined }): void {
  if (request.DryRun !== true) return;
  const sentence = 'The request would have succeeded, but the DryRun parameter is set.';
  throw kinesisError('DryRunOperationException', sentence);
}
