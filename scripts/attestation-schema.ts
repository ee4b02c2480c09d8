/**
 * Writes offchain/attestation/attestation.schema.json, for readers of attestations that are not this program. A test compares it.
 *
 *   node scripts/attestation-schema.ts && npx biome check --write offchain/attestation/attestation.schema.json
 */
import { writeFileSync } from 'node:fs';
import { z } from 'zod';
import { zAttestation } from '../offchain/attestation/attest.ts';

const file = new URL('../offchain/attestation/attestation.schema.json', import.meta.url);
writeFileSync(file, `${JSON.stringify(z.toJSONSchema(zAttestation), null, 2)}\n`);
