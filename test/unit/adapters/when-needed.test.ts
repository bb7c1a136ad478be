import { expect, it } from "vitest";
import { whenNeeded } from "../../../functions/adapters/when-needed.ts";

it("loads when it is first asked, once for all who ask", async () => {
  let loads = 0;
  const get = whenNeeded(async () => {
    loads += 1;
    return { loads };
  });
  expect(loads).toBe(0);
  const [first, second] = await Promise.all([get(), get()]);
  expect(first).toBe(second);
  expect(await get()).toEqual({ loads: 1 });
});

it("tries again the next time where it failed", async () => {
  let loads = 0;
  const get = whenNeeded(async () => {
    loads += 1;
    if (loads === 1) throw new Error("away");
    return loads;
  });
  await expect(get()).rejects.toThrow("away");
  expect(await get()).toBe(2);
});
