import type {
  AccessDeniedExceptionReason,
  ConflictExceptionReason,
  ServiceQuotaExceededExceptionReason,
  ValidationExceptionReason,
} from "@aws-sdk/client-pinpoint-sms-voice-v2";
import type { ReasonFor } from "../../../core/lifecycle.ts";

/**
 * What a refusal means: that this message is not wanted, whoever asks, or that it was not taken as
 * things stand, which somebody can mend, or another carrier do better. The latter is due to
 *
 * - `message`: this phone's number, or that nothing may be sent to its country from this sender;
 * - `identity`: from whom it is to come, wherever it goes to, so that it depends on who said that;
 * - `unreachable`: the carrier as a whole.
 */
export type Refusal = ReasonFor<"BLOCKED"> | "message" | "identity" | "unreachable";

/** Every reason of a ValidationException. */
export const VALIDATION: Readonly<Record<ValidationExceptionReason, Refusal>> = {
  // The number, or the country that it is in.
  COUNTRY_NOT_ENABLED: "no-coverage",
  DESTINATION_COUNTRY_BLOCKED: "no-coverage",
  // A limit that was set to keep such destinations out.
  PRICE_OVER_THRESHOLD: "no-coverage",
  INTERNATIONAL_SENDING_NOT_SUPPORTED: "international-not-allowed",
  // The text.
  MAXIMUM_SIZE_EXCEEDED: "invalid-message",
  // Who it is to come from, be it the stage or the account that says so, does not fit the country.
  COUNTRY_CODE_MISMATCH: "message",
  INVALID_IDENTITY_FOR_DESTINATION_COUNTRY: "message",
  SENDER_ID_NOT_REGISTERED: "message",
  SENDER_ID_NOT_SUPPORTED: "message",
  SENDER_ID_REQUIRES_REGISTRATION: "message",
  // Of all that a request names, senders are what others than the stage choose.
  RESOURCE_NOT_ACCESSIBLE: "identity",
  // Other settings of the stage. Of a field that is named it may be the number or the text, see FIELDS.
  CANNOT_PARSE: "unreachable",
  CHANNEL_NOT_ENABLED: "unreachable",
  FIELD_VALIDATION_FAILED: "unreachable",
  INVALID_ARN: "unreachable",
  INVALID_PARAMETER: "unreachable",
  INVALID_REQUEST: "unreachable",
  MISSING_PARAMETER: "unreachable",
  OTHER: "unreachable",
  PARAMETERS_CANNOT_BE_USED_TOGETHER: "unreachable",
  UNKNOWN_OPERATION: "unreachable",
  UNSPECIFIED_PARAMETER_NOT_SUPPORTED: "unreachable",
  // Of other operations than sending a text.
  ATTACHMENT_TYPE_NOT_SUPPORTED: "unreachable",
  CANNOT_ADD_OPTED_OUT_NUMBER: "unreachable",
  INVALID_FILTER_VALUES: "unreachable",
  INVALID_NEXT_TOKEN: "unreachable",
  INVALID_REGISTRATION_ASSOCIATION: "unreachable",
  MEDIA_TYPE_NOT_SUPPORTED: "unreachable",
  PHONE_NUMBER_CANNOT_BE_OPTED_IN: "unreachable",
  PHONE_NUMBER_CANNOT_BE_RELEASED: "unreachable",
  REGISTRATION_FIELD_CANNOT_BE_DELETED: "unreachable",
  REQUESTED_SPEND_LIMIT_HIGHER_THAN_SERVICE_LIMIT: "unreachable",
  TWO_WAY_CHANNEL_NOT_PRESENT: "unreachable",
  TWO_WAY_NOT_ENABLED: "unreachable",
  TWO_WAY_NOT_SUPPORTED_IN_COUNTRY: "unreachable",
  TWO_WAY_NOT_SUPPORTED_IN_REGION: "unreachable",
  TWO_WAY_TOPIC_NOT_PRESENT: "unreachable",
  UNKNOWN_REGISTRATION_FIELD: "unreachable",
  UNKNOWN_REGISTRATION_SECTION: "unreachable",
  UNKNOWN_REGISTRATION_TYPE: "unreachable",
  UNKNOWN_REGISTRATION_VERSION: "unreachable",
  VERIFICATION_CODE_MISMATCH: "unreachable",
  VOICE_CAPABILITY_NOT_AVAILABLE: "unreachable",
};

/** What it means that a field does not hold, where the reason says no more than that. */
export const FIELDS: Readonly<Record<string, Refusal>> = {
  destinationphonenumber: "invalid-number",
  messagebody: "invalid-message",
  originationidentity: "identity",
};

/** What it means that something was not found, by its type; of other types it is the stage's. */
export const NOT_FOUND: Readonly<Record<string, Refusal>> = {
  "phone-number": "identity",
  pool: "identity",
  "sender-id": "identity",
};

/** Every reason of a ConflictException. */
export const CONFLICT: Readonly<Record<ConflictExceptionReason, Refusal>> = {
  // The number, or the country that it is in.
  DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION: "no-coverage",
  DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE: "block-list",
  DESTINATION_PHONE_NUMBER_OPTED_OUT: "opt-out",
  // The AWS account is in the sandbox of SMS, and sends to verified numbers only.
  DESTINATION_PHONE_NUMBER_NOT_VERIFIED: "message",
  // There is nobody that it can come from, in its country.
  NO_ORIGINATION_IDENTITIES_FOUND: "message",
  // From whom it is to come, and how.
  MESSAGE_TYPE_MISMATCH: "identity",
  NUMBER_CAPABILITIES_MISMATCH: "identity",
  PROTECT_CONFIGURATION_NOT_ASSOCIATED_WITH_CONFIGURATION_SET: "unreachable",
  REGISTRATION_NOT_COMPLETE: "identity",
  RESOURCE_NOT_ACTIVE: "identity",
  // Of other operations than sending a text.
  CREATE_REGISTRATION_VERSION_NOT_ALLOWED: "unreachable",
  DELETION_PROTECTION_ENABLED: "unreachable",
  DISASSOCIATE_REGISTRATION_NOT_ALLOWED: "unreachable",
  DISCARD_REGISTRATION_VERSION_NOT_ALLOWED: "unreachable",
  EDIT_REGISTRATION_FIELD_VALUES_NOT_ALLOWED: "unreachable",
  EVENT_DESTINATION_MISMATCH: "unreachable",
  KEYWORD_MISMATCH: "unreachable",
  LAST_PHONE_NUMBER: "unreachable",
  NOTIFY_CONFIGURATION_NOT_ACTIVE: "unreachable",
  OPT_OUT_LIST_MISMATCH: "unreachable",
  PHONE_NUMBER_ASSOCIATED_TO_POOL: "unreachable",
  PHONE_NUMBER_ASSOCIATED_TO_REGISTRATION: "unreachable",
  PHONE_NUMBER_NOT_ASSOCIATED_TO_POOL: "unreachable",
  PHONE_NUMBER_NOT_IN_REGISTRATION_REGION: "unreachable",
  POOL_ASSOCIATED_TO_NOTIFY_CONFIGURATION: "unreachable",
  PROTECT_CONFIGURATION_ASSOCIATED_WITH_CONFIGURATION_SET: "unreachable",
  PROTECT_CONFIGURATION_IS_ACCOUNT_DEFAULT: "unreachable",
  RCS_AGENT_ALREADY_ASSOCIATED_TO_REGISTRATION_TYPE: "unreachable",
  RCS_AGENT_ASSOCIATED_TO_POOL: "unreachable",
  REGISTRATION_ALREADY_SUBMITTED: "unreachable",
  RESOURCE_ALREADY_ASSOCIATED: "unreachable",
  RESOURCE_ALREADY_EXISTS: "unreachable",
  RESOURCE_DELETION_NOT_ALLOWED: "unreachable",
  RESOURCE_MODIFICATION_NOT_ALLOWED: "unreachable",
  RESOURCE_NOT_EMPTY: "unreachable",
  SELF_MANAGED_OPT_OUTS_MISMATCH: "unreachable",
  SENDER_ID_ASSOCIATED_TO_POOL: "unreachable",
  SUBMIT_REGISTRATION_VERSION_NOT_ALLOWED: "unreachable",
  TWO_WAY_CONFIG_MISMATCH: "unreachable",
  VERIFICATION_ALREADY_COMPLETE: "unreachable",
  VERIFICATION_CODE_EXPIRED: "unreachable",
};

/**
 * Every reason of a ServiceQuotaExceededException. That a limit of the AWS account is reached is
 * nothing that a message can help: another carrier may take it, or this one after the limit was raised.
 */
export const QUOTA: Readonly<Record<ServiceQuotaExceededExceptionReason, Refusal>> = {
  DAILY_DESTINATION_CALL_LIMIT: "unreachable",
  MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT: "unreachable",
  // Of other operations than sending a text.
  ASSOCIATIONS_PER_REGISTRATION: "unreachable",
  CONFIGURATION_SETS_PER_ACCOUNT: "unreachable",
  DAILY_NOTIFY_TIER_MESSAGE_LIMIT: "unreachable",
  EVENT_DESTINATIONS_PER_CONFIGURATION_SET: "unreachable",
  KEYWORDS_PER_PHONE_NUMBER: "unreachable",
  KEYWORDS_PER_POOL: "unreachable",
  MONTHLY_SPEND_LIMIT_REACHED_FOR_MEDIA: "unreachable",
  MONTHLY_SPEND_LIMIT_REACHED_FOR_NOTIFY: "unreachable",
  MONTHLY_SPEND_LIMIT_REACHED_FOR_RCS: "unreachable",
  MONTHLY_SPEND_LIMIT_REACHED_FOR_VOICE: "unreachable",
  NOTIFY_CONFIGURATIONS_PER_ACCOUNT: "unreachable",
  OPT_OUT_LISTS_PER_ACCOUNT: "unreachable",
  ORIGINATION_IDENTITIES_PER_POOL: "unreachable",
  PHONE_NUMBERS_PER_ACCOUNT: "unreachable",
  PHONE_NUMBERS_PER_REGISTRATION: "unreachable",
  POOLS_PER_ACCOUNT: "unreachable",
  PROTECT_CONFIGURATIONS_PER_ACCOUNT: "unreachable",
  RCS_AGENTS_PER_ACCOUNT: "unreachable",
  REGISTRATIONS_PER_ACCOUNT: "unreachable",
  REGISTRATION_ATTACHMENTS_CREATED_PER_DAY: "unreachable",
  REGISTRATION_ATTACHMENTS_PER_ACCOUNT: "unreachable",
  REGISTRATION_VERSIONS_CREATED_PER_DAY: "unreachable",
  SENDER_IDS_PER_ACCOUNT: "unreachable",
  TAGS_PER_RESOURCE: "unreachable",
  VERIFICATION_ATTEMPTS_PER_DAY: "unreachable",
  VERIFIED_DESTINATION_NUMBERS_PER_ACCOUNT: "unreachable",
};

/** Every reason of an AccessDeniedException; where the role lacks the permission, there is none. */
export const ACCESS_DENIED: Readonly<Record<AccessDeniedExceptionReason, Refusal>> = {
  ACCOUNT_DISABLED: "unreachable",
  INSUFFICIENT_ACCOUNT_REPUTATION: "unreachable",
};
