import { awsSms } from "./aws-sms/index.ts";
import { kannel } from "./kannel/index.ts";
import { sandbox } from "./sandbox/index.ts";

/** Every kind of carrier that a stage can name. */
export const CARRIER_KINDS = { sandbox, "aws-sms": awsSms, kannel } as const;
