import type { LocalEnvironment } from "./local-run.ts";

/**
 * What a newcomer is told when everything is up: where the API is, who to be, and lines to paste
 * into a shell.
 *
 * @param messageId the first example's correlationId: one that was not used before, or the line
 *   would be answered as a duplicate
 */
export function welcome(
  { apiUrl, account, password, username, authenticationToken }: LocalEnvironment,
  {
    detached,
    messageId = `hello-${Date.now().toString(36)}`,
  }: { detached: boolean; messageId?: string },
): string {
  const user = shellQuote(`${account}:${password}`);
  const body = JSON.stringify({
    sendSmsRequest: {
      destination: "5519900001111",
      messageText: "Hello, I am a simple message",
      correlationId: messageId,
    },
  });
  const wavyBody = JSON.stringify({
    destination: "5519900002222",
    messageText: "Hello, I am a message, too",
  });
  const wavyHeaders = [
    `username: ${username}`,
    `authenticationtoken: ${authenticationToken}`,
    "content-type: application/json",
  ].map((header) => `-H ${shellQuote(header)}`);
  return `
Torpedo is up.

  API       ${apiUrl}
  Account   ${account}
  Password  ${password}
  User      ${username}
  Token     ${authenticationToken}

.local/environment.json has these for programs, and an administrator.

Send a message with the Mesago API:

  curl -sS -w '\\n' -u ${user} -H 'Content-Type: application/json' -d ${shellQuote(body)} ${shellQuote(`${apiUrl}/api/send-sms`)}

Ask what became of it:

  curl -sS -w '\\n' -u ${user} ${shellQuote(`${apiUrl}/api/get-sms-status/id/${messageId}`)}

Send one with the Wavy API:

  curl -sS -w '\\n' ${wavyHeaders.join(" ")} -d ${shellQuote(wavyBody)} ${shellQuote(`${apiUrl}/v1/send-sms`)}

Also to be tried:

  the same message again                   the answer says that it is a duplicate
  numbers that end in 8105                 delivered after 5 seconds; 8300 is not delivered, 8400 refused,
                                           8500 unreachable twice (the README has all of them)
  npm run admin -- sandbox outbox --to 5519900001111
                                           what the carrier was handed for a number
  npm run admin -- sandbox reply --from 5519900001111 --text Sim
                                           the phone answers; POST /api/received/list lists it
  npm run admin -- account set --account ${account} --long-messages on
                                           texts of more than one part
  npm run admin -- endpoint add --account ${account} --url http://127.0.0.1:9000/
                                           statuses and answers go to a server of yours
  npm run admin -- --help                  accounts, users, templates, limits, endpoints, …

${detached ? "It stays up until `npm stop`." : "Messages show here as they change state. Ctrl-C stops everything; accounts and messages are kept."}
`;
}

/** One word for any POSIX shell, whatever is in it. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
