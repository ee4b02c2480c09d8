import assert from 'node:assert/strict';

const VOID = new Set(['meta']);

/** The elements of a page, or an error where tags do not nest, are not closed, or attributes are not quoted. */
export function elements(page: string): { name: string; attributes: Record<string, string>; text: string }[] {
  const found: { name: string; attributes: Record<string, string>; text: string }[] = [];
  const open: (typeof found)[number][] = [];
  assert.ok(page.startsWith('<!doctype html>\n'));
  const token = /<(\/?)([a-z][a-z0-9]*)((?:\s+[a-z][a-zA-Z0-9-]*="[^"<>]*")*)\s*(\/?)>|([^<]+)|(.)/gsy;
  token.lastIndex = '<!doctype html>\n'.length;
  for (const [whole, closes, name, attributes, empty, text] of page.matchAll(token)) {
    if (text !== undefined) {
      // Ampersands begin entities, and angle brackets are within tags or the style sheet.
      const plain = open.at(-1)?.name === 'style' ? '' : text;
      assert.ok(!/>|&(?!(amp|lt|gt|quot|#39);)/.test(plain), `unescaped: ${text}`);
      for (const element of open) element.text += text;
    } else if (name === undefined) assert.fail(`no markup: ${whole}`);
    else if (closes) assert.equal(open.pop()?.name, name, `</${name}>`);
    else {
      const pairs = [...attributes!.matchAll(/([a-zA-Z-]+[0-9]?)="([^"]*)"/g)].map(([, key, value]) => [key!, value!]);
      const element = { name, attributes: Object.fromEntries(pairs), text: '' };
      found.push(element);
      if (!empty && !VOID.has(name)) open.push(element);
    }
  }
  assert.deepEqual(open, []);
  return found;
}
