import type { Database } from './database.ts';
import type { Profiled } from './profile.ts';

/**
 * The rows that are kept: none that is rejected, and of equal ones the first; of more than `maxSamples`, in each class
 * of the label its share with the least digests. Digests are as good as random, and nobody who draws can choose.
 *
 * @returns `kept`, a table of `row`, `digest` and `features`; how many there were before and after sampling
 */
export async function sampleRows(
  db: Database,
  table: Profiled,
  given: { digests: string; rejected: string; label: string | undefined; maxSamples: number | undefined },
): Promise<{ kept: string; distinct: number; sampled: number }> {
  const { digests, rejected, label, maxSamples } = given;
  const distinct = db.name('distinct');
  await db.run(`CREATE TABLE ${distinct} AS SELECT min(row) AS row, digest, any_value(features) AS features
    FROM ${digests} WHERE row NOT IN (SELECT row FROM ${rejected}) GROUP BY digest`);
  const [[rows]] = (await db.rows<[number]>(`SELECT count(*) FROM ${distinct}`)) as [[number]];
  if (maxSamples === undefined || rows <= maxSamples) return { kept: distinct, distinct: rows, sampled: rows };
  const at = label === undefined ? -1 : table.names.indexOf(label);
  const stratum = at < 0 ? "''" : `coalesce(k${at}, '')`;
  const strata = db.name('strata');
  await db.run(
    `CREATE TABLE ${strata} AS SELECT d.*, ${stratum} AS stratum FROM ${distinct} d JOIN ${table.cells} USING (row)`,
  );
  const counts = await db.rows<[string, number]>(
    `SELECT stratum, count(*) FROM ${strata} GROUP BY stratum ORDER BY stratum`,
  );
  const quotas = db.name('quotas');
  await db.run(`CREATE TABLE ${quotas} (stratum VARCHAR, quota BIGINT)`);
  for (const [i, quota] of quotasOf(
    counts.map(([, count]) => count),
    maxSamples,
  ).entries()) {
    await db.run(`INSERT INTO ${quotas} VALUES ('${counts[i]![0].replaceAll("'", "''")}', ${quota})`);
  }
  const kept = db.name('kept');
  await db.run(`CREATE TABLE ${kept} AS SELECT row, digest, features FROM
    (SELECT *, row_number() OVER (PARTITION BY stratum ORDER BY digest) AS place FROM ${strata})
    JOIN ${quotas} USING (stratum) WHERE place <= quota`);
  return { kept, distinct: rows, sampled: maxSamples };
}

/** Shares of a total in proportion to counts, by the largest remainders; of equal ones, the first. */
export function quotasOf(counts: readonly number[], total: number): number[] {
  const sum = counts.reduce((all, count) => all + count, 0);
  const exact = counts.map((count) => (BigInt(count) * BigInt(total)) / BigInt(sum));
  const remainders = counts.map((count) => (BigInt(count) * BigInt(total)) % BigInt(sum));
  const order = counts
    .map((_, i) => i)
    .sort((a, b) => (remainders[a]! === remainders[b]! ? a - b : remainders[a]! > remainders[b]! ? -1 : 1));
  const missing = total - Number(exact.reduce((all, quota) => all + quota, 0n));
  const lucky = new Set(order.slice(0, missing));
  return exact.map((quota, i) => Number(quota) + (lucky.has(i) ? 1 : 0));
}
