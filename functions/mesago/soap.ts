import {
  parseXml,
  XmlDeclaration,
  type XmlDocument,
  XmlDocumentType,
  XmlElement,
  type XmlNode,
  XmlProcessingInstruction,
  XmlText,
} from "@rgrove/parse-xml";
import { CALLBACK_OPTIONS } from "../core/message.ts";
import { isUtf8, isUtf8Type, MAX_BODY_BYTES } from "../runtime/http.ts";

/** The namespace of the messages. */
export const SOAP_NAMESPACE = "urn:torpedo:mesago-sms:1";

const ENVELOPE_NAMESPACE = "http://schemas.xmlsoap.org/soap/envelope/";
const INSTANCE_NAMESPACE = "http://www.w3.org/2001/XMLSchema-instance";

export const SOAP_OPERATIONS = [
  "sendSms",
  "sendSmsMultiple",
  "getSmsStatus",
  "cancelSms",
  "receivedList",
  "receivedSearch",
] as const;
export type SoapOperation = (typeof SOAP_OPERATIONS)[number];

/** A type of XML Schema, by its name there, or one of ours. */
export type Type = "string" | "int" | "long" | "boolean" | EnumType | ComplexType;

export interface EnumType {
  readonly name: string;
  readonly values: readonly string[];
}

export interface ComplexType {
  readonly name: string;
  /** In the order of the schema. */
  readonly fields: readonly Field[];
}

export interface Field {
  readonly name: string;
  readonly type: Type;
  readonly optional: boolean;
  readonly repeats: boolean;
}

const one = (name: string, type: Type): Field => ({ name, type, optional: false, repeats: false });
const maybe = (name: string, type: Type): Field => ({ ...one(name, type), optional: true });
const some = (name: string, type: Type): Field => ({ ...one(name, type), repeats: true });
const any = (name: string, type: Type): Field => ({ ...maybe(name, type), repeats: true });

const CALLBACK_OPTION: EnumType = { name: "CallbackOption", values: CALLBACK_OPTIONS };

const SMS_OPTIONS = [
  maybe("from", "string"),
  maybe("correlationId", "string"),
  maybe("scheduledDate", "string"),
  maybe("scheduleDate", "string"),
  maybe("expiresDate", "string"),
  any("timeWindow", "int"),
  maybe("timeZone", "string"),
  maybe("callbackOption", CALLBACK_OPTION),
  maybe("extraInfo", "string"),
  maybe("flashSMS", "boolean"),
];

const SMS: ComplexType = {
  name: "Sms",
  fields: [maybe("destination", "string"), maybe("messageText", "string"), ...SMS_OPTIONS],
};

const CODES = ["statusCode", "statusDescription", "detailCode", "detailDescription"];
const ANSWER = [...CODES.map((name) => one(name, "string")), maybe("hint", "string")];

const SMS_PART: ComplexType = {
  name: "SmsPart",
  fields: [one("partId", "string"), one("order", "int")],
};

const SEND_SMS_RESPONSE: ComplexType = {
  name: "SendSmsResponse",
  fields: [...ANSWER, maybe("id", "string"), any("parts", SMS_PART)],
};

const RECEIVED_MESSAGE: ComplexType = {
  name: "ReceivedMessage",
  fields: [
    one("id", "long"),
    one("dateReceived", "string"),
    one("mobile", "string"),
    one("shortcode", "string"),
    maybe("mobileOperatorName", "string"),
    maybe("correlationId", "string"),
    one("body", "string"),
    maybe("correlatedMessageSmsId", "string"),
  ],
};

const RECEIVED_RESPONSE: ComplexType = {
  name: "ReceivedResponse",
  fields: [...ANSWER, any("receivedMessages", RECEIVED_MESSAGE)],
};

/** What each operation takes and answers: what the WSDL says, requests are read by, and answers written by. */
export const SOAP_MESSAGES: Readonly<
  Record<SoapOperation, { readonly request: ComplexType; readonly response: ComplexType }>
> = {
  sendSms: {
    request: {
      name: "SendSmsRequest",
      fields: [one("destination", "string"), one("messageText", "string"), ...SMS_OPTIONS],
    },
    response: SEND_SMS_RESPONSE,
  },
  sendSmsMultiple: {
    request: {
      name: "SendSmsMultipleRequest",
      fields: [
        some("messages", SMS),
        maybe("defaultValues", SMS),
        maybe("timeZone", "string"),
        maybe("scheduledDate", "string"),
        maybe("scheduleDate", "string"),
        maybe("expiresDate", "string"),
        any("timeWindow", "int"),
        maybe("callbackOption", CALLBACK_OPTION),
        maybe("extraInfo", "string"),
      ],
    },
    response: {
      name: "SendSmsMultipleResponse",
      fields: [
        ...ANSWER.map((field) => ({ ...field, optional: true })),
        any("sendSmsResponseList", SEND_SMS_RESPONSE),
      ],
    },
  },
  getSmsStatus: {
    request: { name: "GetSmsStatusRequest", fields: [one("id", "string")] },
    response: {
      name: "GetSmsStatusResponse",
      fields: [
        maybe("id", "string"),
        maybe("received", "string"),
        maybe("shortcode", "string"),
        maybe("mobileOperatorName", "string"),
        ...ANSWER,
      ],
    },
  },
  cancelSms: {
    request: { name: "CancelSmsRequest", fields: [one("id", "string")] },
    response: { name: "CancelSmsResponse", fields: ANSWER },
  },
  receivedList: {
    request: { name: "ReceivedListRequest", fields: [] },
    response: RECEIVED_RESPONSE,
  },
  receivedSearch: {
    request: {
      name: "ReceivedSearchRequest",
      fields: [one("startDate", "string"), one("endDate", "string")],
    },
    response: RECEIVED_RESPONSE,
  },
};

export interface SoapFault {
  readonly code: "Client" | "Server" | "MustUnderstand" | "VersionMismatch";
  readonly reason: string;
}

/**
 * A request that was read, or the fault to answer. `fields` holds the content of elements by local
 * name: text is a string, an element that may have elements in it an object, what can repeat always
 * an array; an empty text, or what is `xsi:nil`, is null.
 */
export type SoapRequest =
  | { readonly ok: true; readonly operation: SoapOperation; readonly fields: Fields }
  | { readonly ok: false; readonly fault: SoapFault };

type Fields = Record<string, unknown>;

class FaultError extends Error {
  readonly fault: SoapFault;

  constructor(reason: string, code: SoapFault["code"] = "Client") {
    super(reason);
    this.fault = { code, reason };
  }
}

/** Reads a SOAP 1.1 request, whose wrapper element says which operation it calls. */
export function parseSoapRequest(contentType: string | undefined, body: Buffer): SoapRequest {
  try {
    checkContentType(contentType);
    const wrapper = wrapperOf(readDocument(body));
    const { namespace, local } = nameOf(wrapper);
    const operation = SOAP_OPERATIONS.find((name) => name === local);
    if (!operation || namespace !== SOAP_NAMESPACE) {
      const names = SOAP_OPERATIONS.join(", ");
      throw new FaultError(`The Body must hold one of ${names}, of ${SOAP_NAMESPACE}.`);
    }
    const fields = readFields(wrapper, SOAP_MESSAGES[operation].request);
    return { ok: true, operation, fields };
  } catch (error) {
    if (error instanceof FaultError) return { ok: false, fault: error.fault };
    throw error;
  }
}

const XML_TYPE = /^\s*(?:text|application)\/xml\s*(?:;|$)/i;
const SOAP_1_2_TYPE = /^\s*application\/soap\+xml\s*(?:;|$)/i;

const SOAP_1_1_ONLY = `The envelope must be one of SOAP 1.1, ${ENVELOPE_NAMESPACE}.`;

function checkContentType(type = ""): void {
  if (SOAP_1_2_TYPE.test(type)) throw new FaultError(SOAP_1_1_ONLY, "VersionMismatch");
  if (!XML_TYPE.test(type) || !isUtf8Type(type)) {
    throw new FaultError("The Content-Type must be text/xml, in UTF-8.");
  }
}

function readDocument(body: Buffer): XmlDocument {
  if (body.length > MAX_BODY_BYTES) throw new FaultError("The body is larger than 1 MiB.");
  const text = decode(body);
  if (text.trim() === "") throw new FaultError("The body is empty.");
  const document = parse(text);
  const [first] = document.children;
  if (first instanceof XmlDeclaration && !isUtf8(first.encoding ?? "utf-8")) {
    throw new FaultError("The body must be in UTF-8.");
  }
  if (holdsWhatSoapForbids(document)) {
    throw new FaultError("The body must have no DOCTYPE and no processing instructions.");
  }
  return document;
}

function decode(body: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch {
    throw new FaultError("The body must be in UTF-8.");
  }
}

/**
 * The library reads no DTD, so that there are no entities but XML's own. It throws for whatever is
 * not well-formed, and runs out of stack (a RangeError) over elements nested some thousands deep.
 */
function parse(text: string): XmlDocument {
  try {
    // The library does this as well, but in quadratic time.
    const normalised = text.replace(/\r\n?/g, "\n");
    return parseXml(normalised, { preserveDocumentType: true, preserveXmlDeclaration: true });
  } catch (error) {
    throw new FaultError(
      error instanceof RangeError
        ? "The elements are nested too deeply."
        : "The body is not well-formed XML.",
    );
  }
}

function holdsWhatSoapForbids(document: XmlDocument): boolean {
  const nodes: XmlNode[] = [...document.children];
  // Grows while it is walked: an element's children join the end.
  for (const node of nodes) {
    if (node instanceof XmlDocumentType || node instanceof XmlProcessingInstruction) return true;
    if (node instanceof XmlElement) for (const child of node.children) nodes.push(child);
  }
  return false;
}

/** The one element of the Body. */
function wrapperOf({ root }: XmlDocument): XmlElement {
  const name = root && nameOf(root);
  if (!root || name?.local !== "Envelope") throw new FaultError("The body is no SOAP envelope.");
  if (name.namespace !== ENVELOPE_NAMESPACE) throw new FaultError(SOAP_1_1_ONLY, "VersionMismatch");
  const parts = elementsOf(root).filter((part) => nameOf(part).namespace === ENVELOPE_NAMESPACE);
  const headers = parts.filter((part) => nameOf(part).local === "Header");
  if (headers.flatMap(elementsOf).some(mustBeUnderstood)) {
    throw new FaultError("No header block is understood here.", "MustUnderstand");
  }
  const bodies = parts.filter((part) => nameOf(part).local === "Body");
  const [wrapper, ...others] = bodies.flatMap(elementsOf);
  if (bodies.length !== 1 || !wrapper || others.length > 0) {
    throw new FaultError("The envelope must have one Body, with one element in it.");
  }
  return wrapper;
}

const mustBeUnderstood = (block: XmlElement) =>
  isTrue(attributeOf(block, ENVELOPE_NAMESPACE, "mustUnderstand"));

const isTrue = (value = "") => ["true", "1"].includes(value.trim());

/** The child elements of an element that may hold no text beside them. */
function elementsOf({ name, children }: XmlElement): XmlElement[] {
  if (children.some((child) => child instanceof XmlText && /[^\t\n\r ]/.test(child.text))) {
    throw new FaultError(`There is text in ${quote(name)}, where elements belong.`);
  }
  return children.filter((child) => child instanceof XmlElement);
}

/** A name of the client's, cut to what shows which one is meant. */
const quote = (name: string) => `"${name.slice(0, 64)}"`;

/** An element's local name, and its namespace, which is empty where it has none. */
function nameOf(element: XmlElement): { readonly namespace: string; readonly local: string } {
  const { prefix = "", local } =
    /^(?:(?<prefix>[^:]+):)?(?<local>[^:]+)$/.exec(element.name)?.groups ?? {};
  const namespace = namespaceOf(element, prefix);
  if (local === undefined || namespace === undefined) {
    throw new FaultError(`The prefix of ${quote(element.name)} stands for no namespace.`);
  }
  return { namespace, local };
}

/** The namespace that a prefix stands for at an element, or undefined for none. */
function namespaceOf(element: XmlElement, prefix: string): string | undefined {
  const declaration = prefix === "" ? "xmlns" : `xmlns:${prefix}`;
  let at: XmlNode | null = element;
  while (at instanceof XmlElement) {
    const namespace: string | undefined = at.attributes[declaration];
    if (namespace !== undefined) return prefix === "" ? namespace : namespace || undefined;
    at = at.parent;
  }
  return prefix === "" ? "" : undefined;
}

function attributeOf(element: XmlElement, namespace: string, local: string): string | undefined {
  const suffix = `:${local}`;
  const name = Object.keys(element.attributes).find(
    (key) =>
      key.endsWith(suffix) && namespaceOf(element, key.slice(0, -suffix.length)) === namespace,
  );
  return name && element.attributes[name];
}

/** Reads the fields among an element's children, whether these are qualified or not. */
function readFields(element: XmlElement, type: ComplexType): Fields {
  const read = new Map<Field, unknown[]>();
  for (const child of elementsOf(element)) {
    const { namespace, local } = nameOf(child);
    const field = type.fields.find(({ name }) => name === local);
    if (!field || (namespace !== "" && namespace !== SOAP_NAMESPACE)) continue;
    const values = read.get(field) ?? [];
    if (values.length > 0 && !field.repeats) throw new FaultError(`There is a second ${local}.`);
    values.push(readValue(child, field.type));
    read.set(field, values);
  }
  return Object.fromEntries(
    [...read].map(([{ name, repeats }, values]) => [name, repeats ? values : values[0]]),
  );
}

function readValue(element: XmlElement, type: Type): unknown {
  if (isTrue(attributeOf(element, INSTANCE_NAMESPACE, "nil"))) return null;
  if (typeof type === "object" && "fields" in type) return readFields(element, type);
  if (element.children.some((child) => child instanceof XmlElement)) {
    throw new FaultError(`There are elements in ${quote(element.name)}, where text belongs.`);
  }
  return lexical(element.text, type) || null;
}

/** Space around what is no string says nothing in XML Schema, and `1` is a boolean there. */
function lexical(text: string, type: Type): string {
  if (typeof type === "object" || type === "string") return text;
  const value = text.trim();
  if (type !== "boolean") return value;
  return value === "1" ? "true" : value === "0" ? "false" : value;
}

/** The answer to an operation, of its fields in the order of the schema. */
export function soapResponse(operation: SoapOperation, fields: object): string {
  const { response } = SOAP_MESSAGES[operation];
  const content = writeFields(fields, response);
  const name = `${operation}Response`;
  return envelope(`<${name} xmlns="${SOAP_NAMESPACE}">${content}</${name}>`);
}

/** A fault, with the codes of SOAP 1.1. */
export function soapFault({ code, reason }: SoapFault): string {
  const content = `<faultcode>soap:${code}</faultcode><faultstring>${escapeXml(reason)}</faultstring>`;
  return envelope(`<soap:Fault>${content}</soap:Fault>`);
}

const envelope = (content: string) =>
  `<?xml version="1.0" encoding="utf-8"?>
<soap:Envelope xmlns:soap="${ENVELOPE_NAMESPACE}"><soap:Body>${content}</soap:Body></soap:Envelope>`;

function writeFields(fields: object, type: ComplexType): string {
  const values = new Map<string, unknown>(Object.entries(fields));
  return type.fields
    .flatMap(({ name, type }) => [values.get(name)].flat().map((value) => write(name, value, type)))
    .join("");
}

function write(name: string, value: unknown, type: Type): string {
  if (value === undefined || value === null) return "";
  const isComplex = typeof value === "object" && typeof type === "object" && "fields" in type;
  const content = isComplex ? writeFields(value, type) : escapeXml(String(value));
  return `<${name}>${content}</${name}>`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  // Would be read as a line feed.
  "\r": "&#13;",
};

/** What XML 1.0 cannot carry, not even as a reference. */
const UNCARRIABLE = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;

/** Writes text for an element or an attribute in double quotes. */
export function escapeXml(text: string): string {
  return text.replace(UNCARRIABLE, "\uFFFD").replace(/[&<>"\r]/g, (char) => ESCAPES[char] ?? char);
}
