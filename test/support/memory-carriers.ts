import type { CarrierAccount, CarrierAccounts } from "../../functions/core/carrier-account.ts";

/** Carrier accounts in memory. */
export class MemoryCarrierAccounts implements CarrierAccounts {
  readonly #accounts = new Map<string, CarrierAccount>();
  lookUps = 0;

  async findCarrierAccount(carrier: string) {
    this.lookUps++;
    return this.#accounts.get(carrier);
  }
  async insertCarrierAccount(account: CarrierAccount) {
    if (this.#accounts.has(account.carrier)) return false;
    this.#accounts.set(account.carrier, account);
    return true;
  }
  async updateCarrierAccount(read: CarrierAccount, changed: CarrierAccount) {
    const stored = this.#accounts.get(read.carrier);
    if (stored?.revision !== read.revision || stored.createdAt !== read.createdAt) return false;
    this.#accounts.set(changed.carrier, changed);
    return true;
  }
  async removeCarrierAccount(carrier: string) {
    return this.#accounts.delete(carrier);
  }
  async listCarrierAccounts() {
    return [...this.#accounts.values()];
  }
}
