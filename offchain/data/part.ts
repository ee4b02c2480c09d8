import { tracingChannel } from 'node:diagnostics_channel';

/** Tells who listens, such as a benchmark, when a part of the work on a table starts and ends. */
export const PARTS = tracingChannel<unknown, { part: string }>('hokusai:data');

export const part = <Result>(name: string, perform: () => Promise<Result>): Promise<Result> =>
  PARTS.tracePromise(perform, { part: name });
