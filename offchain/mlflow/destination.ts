/** Where runs are recorded: a tracking server, or a folder in MLflow's file layout. */
import { fileURLToPath } from 'node:url';
import { HokusaiError } from '../errors.ts';

export interface Server {
  /** Without credentials, and without a slash at its end. */
  readonly url: string;
  /** Of the header `Authorization`. Never to be logged. */
  readonly authorization?: string;
}

export interface Folder {
  /** Absolute. */
  readonly folder: string;
}

export type Destination = Server | Folder;

const NEXT = 'Set MLFLOW_TRACKING_URI or mlflow.tracking_uri to an http(s) URL or a folder.';

/** Whether a tracking URI is one that runs can be recorded at; credentials apart. */
export const isTrackingUri = (uri: string): boolean => !/^[a-z][a-z0-9+.-]*:/i.test(uri) || isUrl(uri);

const isUrl = (uri: string): boolean => URL.canParse(uri) && /^(https?|file):$/.test(new URL(uri).protocol);

/**
 * What a tracking URI stands for, with the credentials of the environment: MLFLOW_TRACKING_USERNAME and
 * MLFLOW_TRACKING_PASSWORD, else those in the URL, else MLFLOW_TRACKING_TOKEN.
 *
 * @param uri http(s) or file URL, or an absolute path
 * @throws HokusaiError `configuration` MLFLOW_URI, MLFLOW_CREDENTIALS; neither says the URI, which may hold a password
 */
export function destinationOf(uri: string, environment: NodeJS.ProcessEnv = process.env): Destination {
  if (!isTrackingUri(uri)) throw unusable(uri);
  if (!isUrl(uri)) return { folder: uri };
  const url = new URL(uri);
  if (url.protocol === 'file:') {
    if (url.host !== '') throw unusable(uri);
    return { folder: fileURLToPath(url) };
  }
  const authorization = authorizationOf(url, environment);
  return {
    url: `${url.origin}${url.pathname.replace(/\/+$/, '')}`,
    ...(authorization !== undefined && { authorization }),
  };
}

function unusable(uri: string): HokusaiError {
  const scheme = uri.split(':')[0]!;
  const message = `The tracking URI is a ${scheme} one: only http, https and folders can be written to from here.`;
  return new HokusaiError('configuration', 'MLFLOW_URI', message, { details: { scheme }, next: NEXT });
}

function authorizationOf(url: URL, environment: NodeJS.ProcessEnv): string | undefined {
  const { MLFLOW_TRACKING_USERNAME: username, MLFLOW_TRACKING_PASSWORD: password } = environment;
  const basic = (user: string, word: string) => `Basic ${Buffer.from(`${user}:${word}`).toString('base64')}`;
  if (username && password) return basic(username, password);
  if (url.username) return basic(decodeURIComponent(url.username), decodeURIComponent(url.password));
  const token = environment.MLFLOW_TRACKING_TOKEN?.trim();
  if (!token) return undefined;
  if (/^[\x21-\x7e]+$/.test(token)) return `Bearer ${token}`;
  // The error of a header that is not allowed would quote it.
  throw new HokusaiError('configuration', 'MLFLOW_CREDENTIALS', 'MLFLOW_TRACKING_TOKEN is not printable ASCII.', {
    next: 'Set it to the token alone.',
  });
}
