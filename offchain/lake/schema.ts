/** The columns of a table: Delta's types in JSON, and DuckDB's. */
import {
  type DuckDBDecimalType,
  type DuckDBListType,
  type DuckDBMapType,
  type DuckDBStructType,
  type DuckDBType,
  DuckDBTypeId,
} from '@duckdb/node-api';
import { z } from 'zod';
import { HokusaiError } from '../errors.ts';

export type DeltaType =
  | string
  | { readonly type: 'struct'; readonly fields: readonly Field[] }
  | { readonly type: 'array'; readonly elementType: DeltaType; readonly containsNull: boolean }
  | {
      readonly type: 'map';
      readonly keyType: DeltaType;
      readonly valueType: DeltaType;
      readonly valueContainsNull: boolean;
    };

export interface Field {
  readonly name: string;
  readonly type: DeltaType;
  readonly nullable: boolean;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** Delta's name of each type that needs no parameters, and DuckDB's. */
const SQL: Readonly<Record<string, string>> = {
  string: 'VARCHAR',
  long: 'BIGINT',
  integer: 'INTEGER',
  short: 'SMALLINT',
  byte: 'TINYINT',
  float: 'FLOAT',
  double: 'DOUBLE',
  boolean: 'BOOLEAN',
  binary: 'BLOB',
  date: 'DATE',
  timestamp: 'TIMESTAMP WITH TIME ZONE',
  timestamp_ntz: 'TIMESTAMP',
};

const DECIMAL = /^decimal\((\d{1,2}), ?(-?\d{1,2})\)$/;

const zType: z.ZodType<DeltaType> = z.lazy(() =>
  z.union([
    z.string().refine((name) => Object.hasOwn(SQL, name) || DECIMAL.test(name), 'a type that is not known'),
    z.object({ type: z.literal('struct'), fields: z.array(zField) }),
    z.object({ type: z.literal('array'), elementType: zType, containsNull: z.boolean() }),
    z.object({ type: z.literal('map'), keyType: zType, valueType: zType, valueContainsNull: z.boolean() }),
  ]),
);
const zField: z.ZodType<Field> = z.object({
  name: z.string().min(1),
  type: zType,
  nullable: z.boolean(),
  metadata: z.record(z.string(), z.unknown()),
});
const zSchema = z.object({ type: z.literal('struct'), fields: z.array(zField) });

/** @returns undefined where it is none, or has types that are not known */
export function parseSchema(schemaString: string): readonly Field[] | undefined {
  try {
    return zSchema.parse(JSON.parse(schemaString)).fields;
  } catch {
    return undefined;
  }
}

export const schemaString = (fields: readonly Field[]): string => JSON.stringify({ type: 'struct', fields });

/** A name as SQL. */
export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
/** A text as SQL. */
export const literal = (value: string): string => `'${value.replaceAll("'", "''")}'`;

/** DuckDB's type for one of Delta's. */
export function sqlType(type: DeltaType): string {
  if (typeof type === 'string') return SQL[type] ?? type.replace(DECIMAL, 'DECIMAL($1,$2)');
  if (type.type === 'array') return `${sqlType(type.elementType)}[]`;
  if (type.type === 'map') return `MAP(${sqlType(type.keyType)}, ${sqlType(type.valueType)})`;
  return `STRUCT(${type.fields.map((field) => `${quoted(field.name)} ${sqlType(field.type)}`).join(', ')})`;
}

/** Delta's type that holds all values of one of DuckDB's; undefined where there is none. */
function deltaType(type: DuckDBType): DeltaType | undefined {
  const simple = SIMPLE[type.typeId];
  if (simple) return simple;
  switch (type.typeId) {
    case DuckDBTypeId.DECIMAL: {
      const { width, scale } = type as DuckDBDecimalType;
      return `decimal(${width},${scale})`;
    }
    case DuckDBTypeId.LIST: {
      const elementType = deltaType((type as DuckDBListType).valueType);
      return elementType && { type: 'array', elementType, containsNull: true };
    }
    case DuckDBTypeId.MAP: {
      const keyType = deltaType((type as DuckDBMapType).keyType);
      const valueType = deltaType((type as DuckDBMapType).valueType);
      return keyType && valueType && { type: 'map', keyType, valueType, valueContainsNull: true };
    }
    case DuckDBTypeId.STRUCT: {
      const { entryNames, entryTypes } = type as DuckDBStructType;
      const fields = entryNames.map((name, at) => ({ name, type: deltaType(entryTypes[at]!) }));
      if (fields.some((each) => each.type === undefined)) return undefined;
      return { type: 'struct', fields: fields.map((each) => field(each.name, each.type!)) };
    }
    default:
      return undefined;
  }
}

/** Unsigned numbers take the next larger type, which holds them all. */
const SIMPLE: Readonly<Record<number, string>> = {
  [DuckDBTypeId.VARCHAR]: 'string',
  [DuckDBTypeId.ENUM]: 'string',
  [DuckDBTypeId.UUID]: 'string',
  [DuckDBTypeId.BIGINT]: 'long',
  [DuckDBTypeId.UINTEGER]: 'long',
  [DuckDBTypeId.UBIGINT]: 'decimal(20,0)',
  [DuckDBTypeId.INTEGER]: 'integer',
  [DuckDBTypeId.USMALLINT]: 'integer',
  [DuckDBTypeId.SMALLINT]: 'short',
  [DuckDBTypeId.UTINYINT]: 'short',
  [DuckDBTypeId.TINYINT]: 'byte',
  [DuckDBTypeId.FLOAT]: 'float',
  [DuckDBTypeId.DOUBLE]: 'double',
  [DuckDBTypeId.BOOLEAN]: 'boolean',
  [DuckDBTypeId.BLOB]: 'binary',
  [DuckDBTypeId.DATE]: 'date',
  [DuckDBTypeId.TIMESTAMP_TZ]: 'timestamp',
  [DuckDBTypeId.TIMESTAMP]: 'timestamp_ntz',
  [DuckDBTypeId.TIMESTAMP_S]: 'timestamp_ntz',
  [DuckDBTypeId.TIMESTAMP_MS]: 'timestamp_ntz',
};

const field = (name: string, type: DeltaType): Field => ({ name, type, nullable: true, metadata: {} });

/** What change feeds call their own columns. */
const RESERVED = ['_change_type', '_commit_version', '_commit_timestamp'];

/**
 * The schema of a new table.
 *
 * @throws HokusaiError LAKE_COLUMNS (configuration) with all columns that cannot be
 */
export function schemaOf(columns: ReadonlyMap<string, DuckDBType>): readonly Field[] {
  const problems: string[] = [];
  const fields: Field[] = [];
  for (const [name, type] of columns) {
    const delta = deltaType(type);
    if (RESERVED.includes(name.toLowerCase())) problems.push(`${name} is a name of the change feed`);
    else if (delta === undefined) problems.push(`${name} is ${type}, which Delta Lake has not`);
    else fields.push(field(name, delta));
  }
  if (problems.length > 0) throw columnsRefused('The table', problems);
  return fields;
}

/**
 * Requires that rows have a table's columns, in whatever order.
 *
 * @throws HokusaiError LAKE_COLUMNS (configuration) with all that differ
 */
export function requireColumns(
  location: string,
  schema: readonly Field[],
  columns: ReadonlyMap<string, DuckDBType>,
): void {
  const problems: string[] = [];
  for (const { name, type } of schema) {
    const given = columns.get(name);
    const found = given && deltaType(given);
    if (given === undefined) problems.push(`${name} is missing`);
    else if (found === undefined || sqlType(found) !== sqlType(type)) {
      problems.push(`${name} is ${given}; expected ${sqlType(type)}`);
    }
  }
  const known = new Set(schema.map(({ name }) => name));
  for (const name of columns.keys()) if (!known.has(name)) problems.push(`${name} is no column of the table`);
  if (problems.length > 0) throw columnsRefused(location, problems);
}

const columnsRefused = (what: string, problems: string[]) =>
  new HokusaiError('configuration', 'LAKE_COLUMNS', `${what}: ${problems.join('; ')}.`, {
    details: { problems },
    next: 'Give rows with the columns and types of the table, or name another table.',
  });
