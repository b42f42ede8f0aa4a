/** Addresses of resources: model://name, run://id, dataset://name. */
export type AddressKind = 'model' | 'run' | 'dataset';

export const addressOf = (kind: AddressKind, name: string): string =>
  `${kind}://${encodeURIComponent(name)}`;

/** The name in an address of a kind; anything else is taken for the name itself. */
export const nameIn = (kind: AddressKind, text: string): string => {
  const scheme = `${kind}://`;
  if (!text.startsWith(scheme)) return text;
  const name = text.slice(scheme.length);
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
};
