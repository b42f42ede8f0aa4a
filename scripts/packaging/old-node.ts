/** First module of each entry: what Node 20 lacks of the language's library and our sources use. */

const groupBy = <Item, Key>(
  items: Iterable<Item>,
  keyOf: (item: Item, index: number) => Key,
): Map<Key, Item[]> => {
  const groups = new Map<Key, Item[]>();
  let index = 0;
  for (const item of items) {
    const key = keyOf(item, index++);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
};

const withResolvers = (): object => {
  const parts: Record<string, unknown> = {};
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
};

Map.groupBy ??= groupBy as typeof Map.groupBy;
Promise.withResolvers ??= withResolvers as typeof Promise.withResolvers;

/** JSON.stringify asks for toJSON: the number stays, its spelling (1.0, 1e5) does not. */
const rawJson = (text: string): object => ({ toJSON: () => JSON.parse(text) as unknown });

interface JsonOfNewerNode {
  rawJSON?: (text: string) => object;
}

(JSON as JsonOfNewerNode).rawJSON ??= rawJson;
