/**
 * SQL twins of `cellText`, `canonicalDecimal` and `canonicalText` of cell.ts, and of a string's canonical JSON: rows are
 * digested where they are, without a string for each cell in JavaScript. A property test compares them with those.
 */

/** A number that is written canonically: most are, and need no more work. Up to 61 digits, less than 10^40. */
const PLAIN = "'-?(?:0|[1-9][0-9]{0,39})(?:\\.[0-9]{0,20}[1-9])?'";
const SHORT = "'[+-]?[0-9]{1,30}(?:\\.[0-9]{0,30})?'";
const DECIMAL = "'^([+-]?)(?:([0-9]+)(?:\\.([0-9]*))?|\\.([0-9]+))(?:[eE]([+-]?[0-9]+))?$'";

export const CANONICAL_SQL = `
CREATE MACRO is_plain(t) AS regexp_full_match(t, ${PLAIN}) AND t <> '-0';

CREATE MACRO is_decimal(t) AS regexp_full_match(t, ${DECIMAL});

CREATE MACRO is_trimmed(t) AS t >= '!' AND NOT ends_with(t, ' ') AND NOT ends_with(t, chr(10))
  AND NOT ends_with(t, chr(13)) AND NOT ends_with(t, chr(9));
CREATE MACRO trimmed(t) AS CASE WHEN is_trimmed(t) THEN t ELSE trim(t, chr(32) || chr(9) || chr(13) || chr(10)) END;

-- Without an exponent, and short enough not to be counted: nine in ten of those that are not plain.
CREATE MACRO unsigned_text(whole, fraction) AS CASE WHEN whole = '' THEN '0' ELSE whole END
  || CASE WHEN fraction = '' THEN '' ELSE '.' || fraction END;
CREATE MACRO signed_text(t, number) AS CASE WHEN starts_with(t, '-') AND number <> '0' THEN '-' || number ELSE number END;
CREATE MACRO short_decimal(t) AS signed_text(t,
  unsigned_text(ltrim(split_part(t, '.', 1), '+-0'), rtrim(split_part(t, '.', 2), '0')));

CREATE MACRO decimal_text(minus, digits, point) AS CASE
  WHEN digits = '' THEN '0'
  WHEN point IS NULL OR strlen(digits) > 64 OR point > 300 OR point <= -300 THEN NULL
  WHEN point <= 0 THEN minus || '0.' || repeat('0', -point) || digits
  WHEN point >= strlen(digits) THEN minus || digits || repeat('0', point - strlen(digits))
  ELSE minus || left(digits, point) || '.' || substr(digits, point + 1) END;

-- Each step is a lambda, because a macro's parameter is put in wherever it is named, and computed as often.
CREATE MACRO long_decimal(t) AS list_transform(list_transform(
  [regexp_extract(t, ${DECIMAL}, ['sign', 'whole', 'fraction', 'bare', 'exponent'])],
  lambda p: struct_pack(minus := CASE WHEN p.sign = '-' THEN '-' ELSE '' END, digits := p.whole || p.fraction || p.bare,
    whole := strlen(p.whole), exponent := CASE WHEN p.exponent = '' THEN 0
      ELSE TRY_CAST(ltrim(p.exponent, '+') AS BIGINT) END)),
  lambda d: decimal_text(d.minus, trim(d.digits, '0'),
    d.whole - (strlen(d.digits) - strlen(ltrim(d.digits, '0'))) + d.exponent))[1];

-- NULL for what is no decimal number
CREATE MACRO canonical_decimal(t) AS CASE WHEN is_plain(t) THEN t
  WHEN regexp_full_match(t, ${SHORT}) THEN short_decimal(t)
  WHEN strlen(t) <= 400 AND is_decimal(t) THEN long_decimal(t) END;

CREATE MACRO present(t) AS CASE WHEN t = '' OR strlen(t) <= 4 AND lower(t) IN ('na', 'n/a', 'nan', 'null', '?')
  THEN NULL ELSE t END;

-- Texts that begin beyond the digits are no numbers and have no space before them, which is quickly seen; few cells come
-- to the last branch, which is slow.
CREATE MACRO canonical(c) AS CASE WHEN c >= ':' THEN present(trimmed(c)) WHEN is_plain(c) THEN c
  WHEN regexp_full_match(c, ${SHORT}) THEN short_decimal(c)
  WHEN is_trimmed(c) AND NOT is_decimal(c) THEN c
  ELSE list_transform([trimmed(c)], lambda t: coalesce(canonical_decimal(t), present(t)))[1] END;

-- DuckDB writes control characters with capital digits, RFC 8785 with small ones. Pairs of backslashes are put aside, so
-- that those which begin an escape are known.
CREATE MACRO small_escapes(j) AS replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(
  j, '\\\\', chr(0)), '\\u000B', '\\u000b'), '\\u000E', '\\u000e'), '\\u000F', '\\u000f'), '\\u001A', '\\u001a'),
  '\\u001B', '\\u001b'), '\\u001C', '\\u001c'), '\\u001D', '\\u001d'), '\\u001E', '\\u001e'), '\\u001F', '\\u001f'),
  chr(0), '\\\\');

CREATE MACRO canonical_string(t) AS CASE WHEN contains(CAST(to_json(t) AS VARCHAR), '\\u00')
  THEN small_escapes(CAST(to_json(t) AS VARCHAR)) ELSE CAST(to_json(t) AS VARCHAR) END;
`;
