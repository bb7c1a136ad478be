import { stack } from "./stack.ts";
import type { TestWavyAccount } from "./wavy-account.ts";

/** Calls the admin API as an administrator of the account does, or as whoever `as` says. */
export async function callAdmin(
  account: TestWavyAccount,
  method: string,
  path: string,
  body?: unknown,
  as: { username: string; token: string } = account.users.admin,
) {
  const response = await fetch(`${stack.apiUrl}/admin/v1${path}`, {
    method,
    headers: {
      // Their names may be written in any case.
      UserName: as.username,
      AuthenticationToken: as.token,
      "content-type": "application/json",
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    location: response.headers.get("location"),
    // biome-ignore lint/suspicious/noExplicitAny: what comes over the wire is what is being tested.
    body: (text === "" ? undefined : JSON.parse(text)) as any,
  };
}
