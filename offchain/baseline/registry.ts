/** Models of MLflow's registry, `models:/NAME/VERSION` or `models:/NAME/latest`, from a server or from its file layout. */
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';
import { HokusaiError } from '../errors.ts';
import { Api } from '../mlflow/api.ts';
import { destinationOf } from '../mlflow/destination.ts';
import { writeWhole } from '../write-whole.ts';

const URI = /^models:\/([^/:@\\]{1,250})\/(latest|[1-9]\d{0,8})$/;
/** Seconds that an answer may take. */
const PATIENCE = 30;

/** Whether a baseline is named by the registry. */
export const isRegistered = (path: string): boolean => path.startsWith('models:');
/** Whether it is named rightly. */
export const isModelUri = (path: string): boolean => URI.test(path) && !path.startsWith('models:/.');

/** The files of a model's folder, and how to read one of them. */
interface Artifacts {
  readonly names: readonly string[];
  read(name: string): Promise<Uint8Array>;
}

/**
 * Fetches the file of a registered model, by its flavour.
 *
 * @param uri         as `isModelUri` has it
 * @param trackingUri of the configuration
 * @param folder      where it is put
 * @returns its path
 * @throws HokusaiError `configuration` BASELINE_VERSION where there is no such version, BASELINE_FLAVOUR; those of `Api`
 */
export async function fetchRegistered(uri: string, trackingUri: string, folder: string): Promise<string> {
  const [, name, version] = URI.exec(uri) as unknown as [string, string, string];
  const destination = destinationOf(trackingUri);
  const artifacts =
    'folder' in destination
      ? await inFolder(destination.folder, uri, name, version)
      : await onServer(new Api(destination, PATIENCE), uri, name, version);
  const chosen = await chosenOf(artifacts, uri);
  const file = join(folder, `${name}-${version}`, basename(chosen));
  await writeWhole(file, await artifacts.read(chosen), { mode: 0o600 });
  return file;
}

const gone = (uri: string, where: string): HokusaiError =>
  new HokusaiError('configuration', 'BASELINE_VERSION', `${uri} is not, or no longer, registered at ${where}.`, {
    details: { uri },
    next: 'Look at the versions that are there, and name one of them in data.baseline_path.',
  });

async function inFolder(root: string, uri: string, name: string, version: string): Promise<Artifacts> {
  const versions = join(root, 'models', name);
  const known = (await readdir(versions).catch(() => [])).flatMap((entry) => /^version-(\d+)$/.exec(entry)?.[1] ?? []);
  const chosen = version === 'latest' ? known.sort((a, b) => Number(b) - Number(a))[0] : version;
  const meta = chosen && (await readFile(join(versions, `version-${chosen}`, 'meta.yaml'), 'utf8').catch(() => ''));
  const { source, storage_location: stored } = (meta ? parse(meta) : {}) as {
    source?: string;
    storage_location?: string;
  };
  const at = stored ?? source;
  if (typeof at !== 'string') throw gone(uri, root);
  if (!at.startsWith('file:') && /^[a-z][a-z0-9+.-]+:/i.test(at)) throw elsewhere(uri, at);
  const folder = at.startsWith('file:') ? fileURLToPath(at) : at;
  const names = await readdir(folder).catch(() => {
    throw gone(uri, folder);
  });
  return { names, read: (one) => readFile(join(folder, one)) };
}

const zVersion = z.object({ name: z.string(), version: z.string(), source: z.string() });

async function onServer(api: Api, uri: string, name: string, version: string): Promise<Artifacts> {
  const found = version === 'latest' ? await latest(api, name) : await api.found(exactly(api, name, version));
  if (!found) throw gone(uri, 'the server');
  const source = await locationOf(api, found.source);
  const folder = /^mlflow-artifacts:\/+(?!\/)(.+?)\/*$/.exec(source)?.[1];
  if (folder === undefined) throw elsewhere(uri, source);
  const files = (await api.artifacts(folder)).filter(({ is_dir }) => !is_dir);
  const names = files.map(({ path }) => basename(path));
  return { names, read: (one) => api.artifact(`${folder}/${one}`) };
}

const exactly = async (api: Api, name: string, version: string) =>
  (await api.get('model-versions/get', { name, version }, z.object({ model_version: zVersion }))).model_version;

async function latest(api: Api, name: string) {
  const zVersions = z.object({ model_versions: z.array(zVersion).default([]) });
  const query = { filter: `name='${name.replaceAll("'", "\\'")}'`, order_by: 'version_number DESC', max_results: '1' };
  return (await api.get('model-versions/search', query, zVersions)).model_versions[0];
}

/** Since MLflow 3 a version may name a logged model, which knows where its files are. */
async function locationOf(api: Api, source: string): Promise<string> {
  const id = /^models:\/(m-[0-9a-f]+)$/.exec(source)?.[1];
  if (id === undefined) return source;
  const zLogged = z.object({ model: z.object({ info: z.object({ artifact_uri: z.string() }) }) });
  return (await api.get(`logged-models/${id}`, {}, zLogged)).model.info.artifact_uri;
}

const elsewhere = (uri: string, source: string): HokusaiError =>
  new HokusaiError(
    'configuration',
    'BASELINE_VERSION',
    `The files of ${uri} are kept where they cannot be fetched from.`,
    {
      details: { uri, scheme: source.split(':')[0] },
      next: 'Download the model, and name its file in data.baseline_path.',
    },
  );

const zFlavours = z.object({ flavors: z.record(z.string(), z.record(z.string(), z.unknown())) });

/** The file to read: what the model's flavour names, or, as our own runs register it, model.json alone. */
async function chosenOf(artifacts: Artifacts, uri: string): Promise<string> {
  const { names } = artifacts;
  if (!names.includes('MLmodel')) {
    const own = names.find((name) => name === 'model.json' || /\.(onnx|skops)$/.test(name));
    if (own !== undefined) return own;
    throw otherFlavour(uri, 'it has no file of a model that is read');
  }
  const { flavors } = zFlavours.parse(parse(Buffer.from(await artifacts.read('MLmodel')).toString('utf8')));
  const file = flavors.onnx?.data ?? flavors.sklearn?.pickled_model;
  const format = flavors.sklearn?.serialization_format;
  if (flavors.onnx === undefined && flavors.sklearn !== undefined && format !== 'skops') {
    throw otherFlavour(uri, 'its flavour is a pickle of scikit-learn, which can run any code when it is loaded');
  }
  if (typeof file === 'string' && names.includes(file)) return file;
  throw otherFlavour(uri, `its flavours are ${Object.keys(flavors).join(', ')}`);
}

const otherFlavour = (uri: string, reason: string): HokusaiError =>
  new HokusaiError('configuration', 'BASELINE_FLAVOUR', `${uri} cannot be a baseline: ${reason}.`, {
    details: { uri },
    next: 'Log it as ONNX (mlflow.onnx.log_model), or of scikit-learn with serialization_format "skops".',
  });
