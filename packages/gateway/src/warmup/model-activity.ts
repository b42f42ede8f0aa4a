/** Which models were asked for lately; bounded, since names come from requests. */
const MAX_MODELS = 64;

export interface ActiveModel {
  readonly model: string;
  readonly version: string;
}

export class ModelActivity {
  readonly #askedAt = new Map<string, ActiveModel & { readonly atMs: number }>();

  asked(model: string, version: string, atMs: number): void {
    const key = `${model} ${version}`;
    this.#askedAt.delete(key);
    this.#askedAt.set(key, { model, version, atMs });
    if (this.#askedAt.size > MAX_MODELS) this.#askedAt.delete(this.#askedAt.keys().next().value!);
  }

  /** Models that were asked for since then. */
  since(atMs: number): ActiveModel[] {
    return [...this.#askedAt.values()].filter((model) => model.atMs >= atMs);
  }
}
