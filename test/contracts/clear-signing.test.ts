// Whether a wallet can show what is signed: every action of a person has words, and every path leads to an argument.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type AbiFunction, type AbiParameter, toFunctionSelector } from 'viem';
import { parseAbiItem } from 'viem/utils';
import { abi, CONTRACTS, type ContractName, type Deployment } from '../../offchain/chain/contracts.ts';
import { clearSigning, UNSIGNED } from '../../scripts/clear-signing.ts';

interface Descriptor {
  readonly context: {
    readonly contract?: { readonly abi: readonly AbiFunction[]; readonly deployments: readonly unknown[] };
    readonly eip712?: {
      readonly schemas: readonly [
        { readonly primaryType: string; readonly types: Record<string, readonly AbiParameter[]> },
      ];
    };
  };
  readonly display: {
    readonly formats: Record<
      string,
      { readonly intent: string; readonly fields: readonly { path: string; label: string }[] }
    >;
  };
}

const address = '0x00000000000000000000000000000000000000aa';
const deployment = Object.fromEntries(Object.keys(CONTRACTS).map((key) => [key, address]));
const descriptors = Object.entries(clearSigning({ chainId: 7, ...deployment } as unknown as Deployment)) as [
  string,
  Descriptor,
][];

/** Whether a path such as `vote.status` leads to a parameter. */
function leads(path: string, parameters: readonly AbiParameter[]): boolean {
  const [name, ...rest] = path.split('.');
  const found = parameters.find((parameter) => parameter.name === name);
  if (!found || rest.length === 0) return found !== undefined;
  return 'components' in found && leads(rest.join('.'), found.components as readonly AbiParameter[]);
}

describe('clear signing', () => {
  for (const [file, { context, display }] of descriptors) {
    it(`${file}: every action has words that fit a small screen, and every path leads to an argument`, () => {
      for (const [key, { intent, fields }] of Object.entries(display.formats)) {
        assert.ok(intent.length <= 30, intent);
        const parameters = context.contract
          ? (parseAbiItem(`function ${key}`) as AbiFunction).inputs
          : context.eip712!.schemas[0].types[key]!;
        for (const { path, label } of fields) {
          assert.ok(label.length <= 16, label);
          assert.ok(path === '@.value' || leads(path, parameters), `${key}: ${path}`);
        }
      }
      if (!context.contract) return;
      const name = file.replace('.json', '') as ContractName & keyof typeof UNSIGNED;
      const functions = abi(name).filter(({ type }) => type === 'function') as AbiFunction[];
      const unsigned: readonly string[] = UNSIGNED[name];
      const acting = functions.filter(
        ({ stateMutability, name: action }) => /payable/.test(stateMutability) && !unsigned.includes(action),
      );
      const selectors = Object.keys(display.formats).map((key) => toFunctionSelector(`function ${key}`));
      assert.deepEqual(selectors.sort(), acting.map((item) => toFunctionSelector(item)).sort());
      const paid = acting.filter(({ stateMutability }) => stateMutability === 'payable');
      for (const { name: action } of paid) {
        const [, format] = Object.entries(display.formats).find(([key]) => key.startsWith(`${action}(`))!;
        assert.ok(
          format.fields.some(({ path }) => path === '@.value'),
          `${action} does not show what it pays`,
        );
      }
    });
  }
});
