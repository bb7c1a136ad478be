import type { EndpointDisabled } from "./events.ts";

/** Words for people. */
interface Notice {
  readonly subject: string;
  readonly text: string;
}

const REASONS = {
  pt: {
    gone: "Ele respondeu 410 (Gone), o que significa que não quer mais ser chamado.",
    failing: "Ele falhou em todas as tentativas durante cinco dias.",
  },
  en: {
    gone: "It answered 410 (Gone), which means that it does not want to be called any more.",
    failing: "It has failed at every attempt for five days.",
  },
} as const satisfies Record<string, Record<EndpointDisabled["reason"], string>>;

/** What the owner of an endpoint is written when it was disabled: in Portuguese in Brazil, else in English. */
export function endpointDisabledNotice(event: EndpointDisabled, country: string): Notice {
  return country === "BR" ? inPortuguese(event) : inEnglish(event);
}

function inPortuguese(event: EndpointDisabled): Notice {
  const { account, subAccount, endpointId, reason, failingSince, at } = event;
  return {
    subject: `Callbacks para ${hostOf(event)} foram desativados`,
    text: `O endpoint ${endpointId} da conta ${account} foi desativado em ${at} e não recebe mais callbacks.

URL: ${event.origin}/…${subAccount ? `\nSubconta: ${subAccount}` : ""}
Motivo: ${REASONS.pt[reason]}${failingSince ? `\nSem nenhum sucesso desde: ${failingSince}` : ""}

Assim que o servidor voltar a responder, um administrador da conta pode reativar o endpoint pela API de administração:

  PUT /admin/v1/endpoints/${endpointId}/state
  {"state":"active"}

e receber de novo o que falhou:

  POST /admin/v1/endpoints/${endpointId}/replay
  {"since":"${sinceOf(event)}"}

Quem opera o serviço pode fazer o mesmo:

  npm run admin -- endpoint enable --account ${account} --endpoint ${endpointId}
  npm run admin -- callbacks replay --account ${account} --endpoint ${endpointId} --since ${sinceOf(event)}

Até lá, os status e as respostas podem ser consultados pela API.
`,
  };
}

function inEnglish(event: EndpointDisabled): Notice {
  const { account, subAccount, endpointId, reason, failingSince, at } = event;
  return {
    subject: `Callbacks to ${hostOf(event)} are disabled`,
    text: `The endpoint ${endpointId} of the account ${account} was disabled at ${at} and gets no callbacks any more.

URL: ${event.origin}/…${subAccount ? `\nSub-account: ${subAccount}` : ""}
Reason: ${REASONS.en[reason]}${failingSince ? `\nNothing has succeeded since: ${failingSince}` : ""}

Once the server answers again, an administrator of the account can enable the endpoint over the admin API:

  PUT /admin/v1/endpoints/${endpointId}/state
  {"state":"active"}

and have it told again what has failed:

  POST /admin/v1/endpoints/${endpointId}/replay
  {"since":"${sinceOf(event)}"}

Whoever operates the service can do the same:

  npm run admin -- endpoint enable --account ${account} --endpoint ${endpointId}
  npm run admin -- callbacks replay --account ${account} --endpoint ${endpointId} --since ${sinceOf(event)}

Until then, statuses and replies can be asked for over the API.
`,
  };
}

const hostOf = ({ origin }: EndpointDisabled) => new URL(origin).host;

/** From when on things may have failed. */
const sinceOf = ({ failingSince, at }: EndpointDisabled) => failingSince ?? at;
