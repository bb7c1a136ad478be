import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { parseXml, XmlElement, XmlText } from "@rgrove/parse-xml";
import fc from "fast-check";
import { type Client, createClientAsync } from "soap";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  parseSoapRequest,
  SOAP_NAMESPACE,
  SOAP_OPERATIONS,
  type SoapFault,
  type SoapOperation,
  type SoapRequest,
  soapFault,
  soapResponse,
} from "../../../functions/mesago/soap.ts";
import { wsdl } from "../../../functions/mesago/wsdl.ts";
import { MAX_BODY_BYTES } from "../../../functions/runtime/http.ts";

const ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/";
const XSI = "http://www.w3.org/2001/XMLSchema-instance";

const envelope = (inside: string) =>
  `<s:Envelope xmlns:s="${ENVELOPE}" xmlns:m="${SOAP_NAMESPACE}" xmlns:xsi="${XSI}">${inside}</s:Envelope>`;
const inBody = (inside: string) => envelope(`<s:Body>${inside}</s:Body>`);
const sendSms = (inside: string) => inBody(`<m:sendSms>${inside}</m:sendSms>`);
const multiple = (inside: string) => inBody(`<m:sendSmsMultiple>${inside}</m:sendSmsMultiple>`);

const parse = (body: string | Buffer, contentType: string | undefined = "text/xml") =>
  parseSoapRequest(contentType, Buffer.from(body));
const fieldsOf = (request: SoapRequest) => (request.ok ? request.fields : request.fault);
const textOf = (inside: string) =>
  fieldsOf(parse(sendSms(`<m:messageText>${inside}</m:messageText>`)));
const fault = (code: SoapFault["code"], reason: unknown = expect.any(String)) => ({
  ok: false,
  fault: { code, reason },
});

const ok = {
  statusCode: "00",
  statusDescription: "Ok",
  detailCode: "000",
  detailDescription: "Message Sent",
};
const mo = { id: 23190501, dateReceived: "2014-08-22T14:49:36", mobile: "5511991070316" };

/** The content of an answer by local name, with lists where the schema says so. */
const LISTS = ["parts", "sendSmsResponseList", "receivedMessages"];
function contentOf(element: XmlElement): Record<string, unknown> {
  const content: Record<string, unknown> = {};
  for (const child of element.children) {
    if (!(child instanceof XmlElement)) continue;
    const isObject = child.children.some((it) => it instanceof XmlElement);
    const value = isObject ? contentOf(child) : child.text;
    const list = content[child.name] as unknown[] | undefined;
    content[child.name] = LISTS.includes(child.name) ? [...(list ?? []), value] : value;
  }
  return content;
}
const bodyOf = (document: string) => {
  const { root } = parseXml(document);
  const [body] = root?.children ?? [];
  const [wrapper] = body instanceof XmlElement ? body.children : [];
  if (!(wrapper instanceof XmlElement)) throw new Error(`no SOAP message: ${document}`);
  return wrapper;
};

/** What XML 1.0 can carry, without what a reader takes for a line feed. */
const carriable = fc
  .oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }), awkward())
  .map((text) => text.replace(/[^\t\n\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, ""));

function awkward() {
  const pieces = ["]]>", "<", ">", "&", "&amp;", '"', "'", " ", "\t", "\n", "\r", "\r\n", "😀"];
  return fc
    .array(fc.constantFrom(...pieces, "<!--", "-->", "<?x?>", "<![CDATA[", "\u0085", "\u2028", "é"))
    .map((some) => some.join(""));
}

describe("parseSoapRequest", () => {
  it.each<[SoapOperation, string, object]>([
    [
      "sendSms",
      `<m:destination>5519900001111</m:destination><m:messageText>Hello</m:messageText>
       <m:timeWindow>11</m:timeWindow><m:timeWindow>12</m:timeWindow><m:flashSMS>true</m:flashSMS>`,
      {
        destination: "5519900001111",
        messageText: "Hello",
        timeWindow: ["11", "12"],
        flashSMS: "true",
      },
    ],
    [
      "sendSmsMultiple",
      `<m:messages><m:destination>1</m:destination><m:timeWindow>3</m:timeWindow></m:messages>
       <m:messages><m:destination>2</m:destination></m:messages>
       <m:defaultValues><m:messageText>Hi</m:messageText></m:defaultValues>
       <m:scheduledDate>2017-01-28T02:30:43</m:scheduledDate>`,
      {
        messages: [{ destination: "1", timeWindow: ["3"] }, { destination: "2" }],
        defaultValues: { messageText: "Hi" },
        scheduledDate: "2017-01-28T02:30:43",
      },
    ],
    ["getSmsStatus", "<m:id>004</m:id>", { id: "004" }],
    ["cancelSms", "<m:id>004</m:id>", { id: "004" }],
    ["receivedList", "", {}],
    [
      "receivedSearch",
      "<m:startDate>2014-08-22T00:00:00</m:startDate><m:endDate>2014-08-22T23:59:59</m:endDate>",
      { startDate: "2014-08-22T00:00:00", endDate: "2014-08-22T23:59:59" },
    ],
  ])("reads %s", (operation, inside, fields) => {
    expect(parse(inBody(`<m:${operation}>${inside}</m:${operation}>`))).toEqual({
      ok: true,
      operation,
      fields,
    });
  });

  describe("takes", () => {
    it.each([
      ["a default namespace", `<sendSms xmlns="${SOAP_NAMESPACE}"><id/><from>a</from></sendSms>`],
      ["unqualified fields", "<m:sendSms><from>a</from></m:sendSms>"],
      ["no namespace undone", `<m:sendSms xmlns="urn:x"><from xmlns="">a</from></m:sendSms>`],
      [
        "a prefix bound anew",
        `<s:sendSms xmlns:s="${SOAP_NAMESPACE}"><s:from>a</s:from></s:sendSms>`,
      ],
      [
        "a prefix bound in the field",
        `<m:sendSms><q:from xmlns:q="${SOAP_NAMESPACE}">a</q:from></m:sendSms>`,
      ],
      ["fields it does not know", "<m:sendSms><m:to><m:x/></m:to><m:from>a</m:from></m:sendSms>"],
      [
        "fields of others",
        `<m:sendSms xmlns:q="urn:x"><q:from>b</q:from><m:from>a</m:from></m:sendSms>`,
      ],
      ["comments", "<!-- a --><m:sendSms><!-- b --><m:from><!-- c -->a</m:from></m:sendSms>"],
      ["types of the client's", '<m:sendSms><m:from xsi:type="xs:string">a</m:from></m:sendSms>'],
    ])("%s", (_, inside) => {
      expect(parse(inBody(inside))).toEqual({
        ok: true,
        operation: "sendSms",
        fields: { from: "a" },
      });
    });

    it("fields in any order", () => {
      const fields = ["<m:destination>1</m:destination>", "<m:from>a</m:from>", "<m:id>x</m:id>"];
      expect(parse(sendSms(fields.toReversed().join("")))).toEqual(parse(sendSms(fields.join(""))));
    });

    it.each([
      "text/xml",
      "text/xml; charset=utf-8",
      'Text/XML;charset="UTF-8"',
      "text/xml; charset=us-ascii; action=x",
      "application/xml",
    ])("the Content-Type %s", (contentType) => {
      expect(parse(sendSms(""), contentType)).toMatchObject({ ok: true });
    });

    it.each([
      ["a byte order mark", "\uFEFF"],
      ["an XML declaration", '<?xml version="1.0"?>'],
      ["UTF-8", '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'],
      ["ASCII", "<?xml version='1.0' encoding='us-ascii'?>"],
    ])("%s", (_, before) => {
      expect(parse(before + sendSms(""))).toMatchObject({ ok: true });
    });

    it.each([
      ["that may be passed over", '<a s:mustUnderstand="0"/><b/>'],
      ["that says something else must be", '<a mustUnderstand="1" m:mustUnderstand="1"/>'],
      ["of another spelling", '<a s:mustunderstand="1"/>'],
      ["of WS-Addressing", `<w:To xmlns:w="http://www.w3.org/2005/08/addressing">x</w:To>`],
    ])("header blocks %s", (_, blocks) => {
      const header = `<s:Header>${blocks}</s:Header>`;
      expect(parse(envelope(`${header}<s:Body><m:receivedList/></s:Body>`))).toMatchObject({
        ok: true,
      });
    });

    it("elements of others in the envelope", () => {
      const body = "<s:Body><m:receivedList/></s:Body><x:y xmlns:x='urn:x'/>";
      expect(parse(envelope(body))).toMatchObject({ ok: true });
    });
  });

  describe("reads as null", () => {
    it.each([
      ["an empty element", "<m:from/>", { from: null }],
      ["an element without text", "<m:from></m:from>", { from: null }],
      ["an empty CDATA section", "<m:from><![CDATA[]]></m:from>", { from: null }],
      ["xsi:nil", '<m:from xsi:nil="true"/>', { from: null }],
      ["xsi:nil as 1, whatever is in it", '<m:from xsi:nil=" 1 ">a</m:from>', { from: null }],
      ["an empty number", "<m:timeWindow> </m:timeWindow>", { timeWindow: [null] }],
    ])("%s", (_, inside, fields) => {
      expect(fieldsOf(parse(sendSms(inside)))).toEqual(fields);
    });

    it("but not an empty object, which has no fields", () => {
      const fields = { messages: [{}], defaultValues: {} };
      expect(
        fieldsOf(parse(multiple("<m:messages/><m:defaultValues> </m:defaultValues>"))),
      ).toEqual(fields);
    });

    it("but not what others call nil", () => {
      expect(fieldsOf(parse(sendSms('<m:from nil="1" m:nil="1">a</m:from>')))).toEqual({
        from: "a",
      });
    });
  });

  describe("reads texts exactly", () => {
    it.each([
      ["spaces", "  a  ", "  a  "],
      ["nothing but spaces", " \n ", " \n "],
      ["line breaks, which XML makes line feeds", "a\r\nb\rc\nd", "a\nb\nc\nd"],
      ["referenced line breaks, which it does not", "a&#13;&#xD;&#10;b", "a\r\r\nb"],
      ["line separators, which are no line breaks", "a\u0085b\u2028c", "a\u0085b\u2028c"],
      ["predefined entities", "&lt;&gt;&amp;&quot;&apos;", "<>&\"'"],
      ["entities in their own right", "&amp;lt;", "&lt;"],
      ["character references", "&#65;&#x41;&#x1F600;", "AA😀"],
      ["CDATA", "a<![CDATA[<b>&amp;</b>]]>c", "a<b>&amp;</b>c"],
      [
        "CDATA that looks like what is refused",
        "<![CDATA[<?a?><!DOCTYPE b>]]>",
        "<?a?><!DOCTYPE b>",
      ],
      ["the end of CDATA", "]]&gt;<![CDATA[]]]]><![CDATA[>]]>", "]]>]]>"],
      ["text around comments", "a<!-- b -->c", "ac"],
      ["emoji", "👩‍💻", "👩‍💻"],
      ["the replacement character", "\uFFFD", "\uFFFD"],
    ])("%s", (_, written, text) => {
      expect(textOf(written)).toEqual({ messageText: text });
    });

    it("however they are written", () => {
      const escaped = (text: string) =>
        text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
      const writers = [
        escaped,
        (text: string) => [...text].map((char) => `&#${char.codePointAt(0)};`).join(""),
        (text: string) => `<![CDATA[${text.replaceAll("]]>", "]]]]><![CDATA[>")}]]>`,
        (text: string) => [...text].map(escaped).join("<!-- -->"),
      ];
      fc.assert(
        fc.property(carriable, fc.constantFrom(...writers), (text, write) => {
          expect(textOf(write(text))).toEqual({ messageText: text === "" ? null : text });
        }),
        { numRuns: 500 },
      );
    });

    it("and what is no text without the space around it", () => {
      const inside = `<m:timeWindow>\n 7 </m:timeWindow><m:flashSMS> 1 </m:flashSMS>
        <m:callbackOption>ALL </m:callbackOption>`;
      expect(fieldsOf(parse(sendSms(inside)))).toEqual({
        timeWindow: ["7"],
        flashSMS: "true",
        callbackOption: "ALL ",
      });
    });

    it.each([
      ["1", "true"],
      ["0", "false"],
      ["false", "false"],
      ["yes", "yes"],
      ["constructor", "constructor"],
    ])("and %s as the boolean %s", (written, value) => {
      const inside = `<m:flashSMS>${written}</m:flashSMS>`;
      expect(fieldsOf(parse(sendSms(inside)))).toEqual({ flashSMS: value });
    });
  });

  describe("refuses as Client", () => {
    const entity = '<!DOCTYPE s [<!ENTITY a "aaa">]>';
    const laughs = `<!DOCTYPE s [<!ENTITY a "ha"><!ENTITY b "&a;&a;"><!ENTITY c "&b;&b;">]>`;

    it.each([
      ["an empty body", ""],
      ["a blank body", " \r\n"],
      ["JSON", "{}"],
      ["no envelope", "<a/>"],
      ["an operation without its envelope", `<sendSms xmlns="${SOAP_NAMESPACE}"/>`],
      ["an envelope without a body", envelope("")],
      ["two bodies", envelope("<s:Body><m:receivedList/></s:Body><s:Body/>")],
      ["a body of another namespace", envelope("<m:Body><m:receivedList/></m:Body>")],
      ["an empty Body", inBody(" ")],
      ["two operations", inBody("<m:receivedList/><m:receivedList/>")],
      ["a text in the Body", inBody("a<m:receivedList/>")],
      ["a text in the Envelope", envelope("<s:Body><m:receivedList/></s:Body>a")],
      [
        "a text in the Header",
        envelope("<s:Header>a</s:Header><s:Body><m:receivedList/></s:Body>"),
      ],
      ["an unknown operation", inBody("<m:toString/>")],
      ["an operation without a namespace", inBody("<receivedList/>")],
      ["an operation of another namespace", inBody('<receivedList xmlns="urn:x"/>')],
      ["a fault", inBody("<s:Fault/>")],
      ["a prefix that stands for nothing", inBody("<x:receivedList/>")],
      ["a field whose prefix stands for nothing", sendSms("<x:from>a</x:from>")],
      ["a prefix that was undone", sendSms('<x:from xmlns:x="">a</x:from>')],
      ["a prefix that is empty", sendSms("<:from>a</:from>")],
      ["a second field", sendSms("<m:from>a</m:from><m:from>b</m:from>")],
      ["a second field, unqualified", sendSms("<m:from>a</m:from><from>b</from>")],
      ["a second field, both empty", sendSms("<m:from/><m:from/>")],
      ["a text among fields", sendSms("a<m:from/>")],
      ["a text for an object", multiple("<m:messages>a</m:messages>")],
      ["an object for a text", sendSms("<m:from><m:a/></m:from>")],
      ["an entity nobody declared", sendSms("<m:from>&nbsp;</m:from>")],
      ["a bare ampersand", sendSms("<m:from>a & b</m:from>")],
      ["the end of CDATA in a text", sendSms("<m:from>]]></m:from>")],
      ["a control character", sendSms("<m:from>\u0001</m:from>")],
      ["a reference to a control character", sendSms("<m:from>&#1;</m:from>")],
      ["a reference to half a character", sendSms("<m:from>&#xD83D;</m:from>")],
      ["a reference to no character", sendSms("<m:from>&#x110000;</m:from>")],
      ["an attribute twice", sendSms('<m:from a="1" a="2"/>')],
      ["an attribute without quotes", sendSms("<m:from a=1/>")],
      ["an element that does not end", sendSms("<m:from>")],
      ["elements that overlap", sendSms("<m:from><m:to></m:from></m:to>")],
      ["something behind the envelope", `${sendSms("")}<a/>`],
      ["a DOCTYPE", `<!DOCTYPE s>${sendSms("")}`],
      ["an external DTD", `<!DOCTYPE s SYSTEM "http://127.0.0.1/a.dtd">${sendSms("")}`],
      ["a public DTD", `<!DOCTYPE s PUBLIC "a" "b">${sendSms("")}`],
      ["a declared entity", entity + sendSms("")],
      ["a declared entity that is used", entity + sendSms("<m:from>&a;</m:from>")],
      ["a billion laughs", laughs + sendSms("<m:from>&c;</m:from>")],
      [
        "an external entity",
        `<!DOCTYPE s [<!ENTITY a SYSTEM "file:///etc/passwd">]>${sendSms("<m:from>&a;</m:from>")}`,
      ],
      ["a parameter entity", `<!DOCTYPE s [<!ENTITY % a "b"> %a;]>${sendSms("")}`],
      ["a processing instruction in front", `<?a?>${sendSms("")}`],
      ["a stylesheet", `<?xml-stylesheet href="a"?>${sendSms("")}`],
      ["a processing instruction behind", `${sendSms("")}<?a?>`],
      ["a processing instruction in a field", sendSms("<m:from><?a?></m:from>")],
      ["a processing instruction where nobody looks", sendSms("<m:x><m:y><?a b?></m:y></m:x>")],
      ["an XML declaration that is late", ` <?xml version="1.0"?>${sendSms("")}`],
      ["another encoding", `<?xml version="1.0" encoding="iso-8859-1"?>${sendSms("")}`],
    ])("%s", (_, body) => {
      expect(parse(body)).toEqual(fault("Client"));
    });

    it.each([
      ["Latin-1", Buffer.from(sendSms("<m:from>é</m:from>"), "latin1")],
      ["UTF-16", Buffer.from(`\uFEFF${sendSms("")}`, "utf16le")],
      ["half a character", Buffer.concat([Buffer.from(sendSms("")), Buffer.from([0xc3])])],
      ["more than 1 MiB", Buffer.from(sendSms("").padEnd(MAX_BODY_BYTES + 1))],
    ])("%s", (_, body) => {
      expect(parse(body)).toEqual(fault("Client"));
    });

    it.each([
      "",
      "application/json",
      "text/plain",
      "text/xmlish",
      "text/xml; charset=iso-8859-1",
      "text/xml; charset=utf-16",
      'multipart/related; type="text/xml"',
      "application/x-www-form-urlencoded",
    ])("the Content-Type %j", (contentType) => {
      expect(parse(sendSms(""), contentType)).toEqual(fault("Client"));
    });

    it("no Content-Type", () => {
      expect(parseSoapRequest(undefined, Buffer.from(sendSms("")))).toEqual(fault("Client"));
    });

    it("and says why", () => {
      expect(parse(sendSms("<a>".repeat(100_000)))).toEqual(
        fault("Client", "The elements are nested too deeply."),
      );
      expect(parse("{}")).toEqual(fault("Client", "The body is not well-formed XML."));
      expect(parse(sendSms("<m:from/><from/>"))).toEqual(
        fault("Client", "There is a second from."),
      );
      expect(parse(multiple("<m:messages>a</m:messages>"))).toEqual(
        fault("Client", 'There is text in "m:messages", where elements belong.'),
      );
    });
  });

  it("refuses other versions of SOAP as VersionMismatch", () => {
    const soap12 = "http://www.w3.org/2003/05/soap-envelope";
    const body = sendSms("").replaceAll(ENVELOPE, soap12);
    expect(parse(body)).toEqual(fault("VersionMismatch"));
    expect(parse(body, "application/soap+xml; charset=utf-8")).toEqual(fault("VersionMismatch"));
    expect(parse("<Envelope/>")).toEqual(fault("VersionMismatch"));
  });

  it.each([
    ["1", "<m:a s:mustUnderstand='1'/>"],
    ["true, behind others", "<m:b/><a s:mustUnderstand='true'/>"],
    ["1, by another prefix", `<m:a xmlns:q="${ENVELOPE}" q:mustUnderstand="1"/>`],
  ])("refuses headers as MustUnderstand: %s", (_, blocks) => {
    const header = `<s:Header>${blocks}</s:Header>`;
    expect(parse(envelope(`${header}<s:Body><m:receivedList/></s:Body>`))).toEqual(
      fault("MustUnderstand"),
    );
  });

  describe("is quick with", () => {
    const full = (unit: string | ((n: number) => string), before = "", after = "") => {
      const parts: string[] = [];
      let length = before.length + after.length + 300;
      for (let n = 0; ; n++) {
        const part = typeof unit === "string" ? unit : unit(n);
        length += Buffer.byteLength(part);
        if (length > MAX_BODY_BYTES) return before + parts.join("") + after;
        parts.push(part);
      }
    };
    const nested = (open: (n: number) => string, close: string, depth: number) =>
      Array.from({ length: depth }, (_, n) => open(n)).join("") + close.repeat(depth);
    const text = (inside: string) => sendSms(`<m:messageText>${inside}</m:messageText>`);

    it.each<[string, string, boolean]>([
      ["deep nesting", sendSms(nested(() => "<a>", "</a>", 100_000)), false],
      ["deep namespaces", sendSms(nested((n) => `<a xmlns:n${n}="u">`, "</a>", 40_000)), false],
      ["elements that do not end", full("<a>"), false],
      ["siblings", sendSms(full("<a/>")), true],
      ["messages", multiple(full("<messages><from>1</from></messages>")), true],
      ["siblings with namespaces", sendSms(full((n) => `<a xmlns:n${n}="u"/>`)), true],
      ["attributes", sendSms(full((n) => `a${n}="" `, "<a ", "/>")), true],
      ["namespaces", sendSms(full((n) => `xmlns:a${n}="u" `, "<from ", "/>")), true],
      [
        "attributes of namespaces",
        sendSms(full((n) => `xmlns:a${n}="u" a${n}:nil="" `, "<from ", "/>")),
        true,
      ],
      ["entities", text(full("&amp;")), true],
      ["character references", text(full("&#65;")), true],
      ["CDATA sections", text(full("<![CDATA[]]>")), true],
      ["comments", text(full("a<!---->")), true],
      ["comments that do not end", text(full("<!--")), false],
      ["line breaks", text(full("\r\n")), true],
      ["brackets", text(full("]")), true],
      ["emoji", text(full("😀")), true],
      ["spaces in tags", sendSms(full(" ", "<a", "></a>")), true],
      ["declarations", full('<!ENTITY a "a">', "<!DOCTYPE s [", "]>") + sendSms(""), false],
      ["processing instructions", full("<?a?>") + sendSms(""), false],
      ["bodies", envelope(full("<s:Body/>")), false],
      [
        "header blocks",
        envelope(full('<a s:mustUnderstand="0"/>', "<s:Header>", "</s:Header><s:Body/>")),
        false,
      ],
    ])("%s up to 1 MiB", (_, body, isOk) => {
      const start = performance.now();
      expect(parse(body).ok).toBe(isOk);
      // Takes a few hundred milliseconds at most; what is quadratic, minutes.
      expect(performance.now() - start).toBeLessThan(5_000);
    });
  });

  describe("never throws", () => {
    const tokens = fc.constantFrom(
      ...["<", ">", "/", "&", ";", "'", '"', "=", "]]>", "<!--", "-->", "<![CDATA[", "<?", "?>"],
      ...["<!DOCTYPE a [", "<!ENTITY", "xmlns", ":", "s", "m:from", "<m:from>", "</m:from>", " "],
      ...["\0", "\uFFFE", "😀", "&#", "&amp;", "&#x110000;", "a"],
    );

    it.each<[string, fc.Arbitrary<string | Uint8Array>]>([
      ["bytes", fc.uint8Array({ maxLength: 200 })],
      ["texts", fc.string({ unit: "binary", maxLength: 200 })],
      ["pieces of XML", fc.array(tokens).map((some) => some.join(""))],
      ["pieces of XML in a field", fc.array(tokens).map((some) => sendSms(some.join("")))],
      [
        "requests that were tampered with",
        fc
          .tuple(fc.nat(), fc.nat(6), fc.oneof(tokens, fc.string({ unit: "binary", maxLength: 4 })))
          .map(([at, length, token]) => {
            const whole = `<?xml version="1.0"?>${sendSms("<m:from>a&amp;</m:from><m:x y='z'/>")}`;
            const start = at % whole.length;
            return whole.slice(0, start) + token + whole.slice(start + length);
          }),
      ],
    ])("over %s", (_, bodies) => {
      fc.assert(
        fc.property(bodies, fc.constantFrom("text/xml", undefined), (body, contentType) => {
          const request = parseSoapRequest(contentType, Buffer.from(body));
          expect(typeof request.ok).toBe("boolean");
        }),
        { numRuns: 500 },
      );
    });
  });
});

describe("soapResponse", () => {
  it("wraps the fields in the order of the schema", () => {
    const { detailCode, ...others } = ok;
    const parts = [{ order: 1, partId: "x_001" }];
    expect(soapResponse("sendSms", { parts, detailCode, ...others, id: "x" })).toBe(
      `<?xml version="1.0" encoding="utf-8"?>
<soap:Envelope xmlns:soap="${ENVELOPE}"><soap:Body><sendSmsResponse xmlns="${SOAP_NAMESPACE}">` +
        "<statusCode>00</statusCode><statusDescription>Ok</statusDescription>" +
        "<detailCode>000</detailCode><detailDescription>Message Sent</detailDescription>" +
        "<id>x</id><parts><partId>x_001</partId><order>1</order></parts>" +
        "</sendSmsResponse></soap:Body></soap:Envelope>",
    );
  });

  it("leaves out what is undefined, null, or not in the schema", () => {
    const answer = soapResponse("cancelSms", { ...ok, hint: undefined, id: "x" });
    expect(contentOf(bodyOf(answer))).toEqual(ok);
    expect(contentOf(bodyOf(soapResponse("cancelSms", { ...ok, hint: null })))).toEqual(ok);
  });

  it.each([
    ["markup", "<a>&\"']]>", "<a>&\"']]>"],
    ["space", " a\t\n ", " a\t\n "],
    ["carriage returns", "a\r\nb\r", "a\r\nb\r"],
    ["emoji", "👩‍💻", "👩‍💻"],
    ["what XML cannot carry", "\0\u0001\u001F\uFFFE\uFFFF", "\uFFFD".repeat(5)],
    ["halves of emoji", "\uD83D-\uDE00", "\uFFFD-\uFFFD"],
    ["nothing", "", ""],
  ])("writes %s", (_, hint, read) => {
    const answer = soapResponse("cancelSms", { ...ok, hint });
    expect(contentOf(bodyOf(answer))).toEqual({ ...ok, hint: read });
  });

  it("writes numbers and booleans", () => {
    const answer = soapResponse("getSmsStatus", { shortcode: 30133, received: true, ...ok });
    expect(contentOf(bodyOf(answer))).toEqual({ shortcode: "30133", received: "true", ...ok });
  });

  it("loses nothing", () => {
    const text = fc.oneof(carriable, awkward());
    const sms = fc.record(
      {
        statusCode: text,
        hint: text,
        id: text,
        parts: fc.array(fc.record({ partId: text, order: fc.nat().map(String) }), { minLength: 1 }),
      },
      { requiredKeys: ["statusCode"] },
    );
    const list = fc.array(sms, { minLength: 1 });
    const received = fc.array(fc.record({ id: text, body: text }), { minLength: 1 });
    const answers: fc.Arbitrary<[SoapOperation, object]> = fc.oneof(
      fc.tuple(fc.constant("sendSms" as const), sms),
      fc.tuple(
        fc.constant("sendSmsMultiple" as const),
        fc.record({ hint: text, sendSmsResponseList: list }, { requiredKeys: [] }),
      ),
      fc.tuple(
        fc.constantFrom("receivedList" as const, "receivedSearch" as const),
        fc.record({ statusCode: text, receivedMessages: received }, { requiredKeys: [] }),
      ),
      fc.tuple(
        fc.constantFrom("getSmsStatus" as const, "cancelSms" as const),
        fc.record({ statusCode: text, detailDescription: text }, { requiredKeys: [] }),
      ),
    );
    fc.assert(
      fc.property(answers, ([operation, fields]) => {
        const wrapper = bodyOf(soapResponse(operation, fields));
        expect(wrapper.name).toBe(`${operation}Response`);
        expect(contentOf(wrapper)).toEqual(fields);
      }),
    );
  });

  it("writes well-formed documents, whatever it is given", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (hint) => {
        const [written] = bodyOf(soapResponse("cancelSms", { hint })).children;
        const [text] = written instanceof XmlElement ? written.children : [];
        expect(text instanceof XmlText ? text.text : "").toHaveLength(hint.length);
      }),
    );
  });
});

describe("soapFault", () => {
  it("is one of SOAP 1.1", () => {
    const answer = soapFault({ code: "VersionMismatch", reason: "1 < 2 & \0" });
    expect(answer).toMatch(/^<\?xml version="1\.0" encoding="utf-8"\?>\n<soap:Envelope/);
    expect(bodyOf(answer).name).toBe("soap:Fault");
    expect(contentOf(bodyOf(answer))).toEqual({
      faultcode: "soap:VersionMismatch",
      faultstring: "1 < 2 & \uFFFD",
    });
  });
});

describe("a client that was generated from the WSDL", () => {
  let server: Server;
  let client: Client;
  let location: string;
  let received: SoapRequest[];
  let answer: string;

  beforeAll(async () => {
    server = createServer(async (request, response) => {
      response.setHeader("content-type", "text/xml; charset=utf-8");
      if (request.method === "GET") {
        response.end(wsdl(location));
        return;
      }
      const chunks: Buffer[] = await request.toArray();
      const parsed = parseSoapRequest(request.headers["content-type"], Buffer.concat(chunks));
      received.push(parsed);
      if (!parsed.ok) response.statusCode = 500;
      response.end(parsed.ok ? answer : soapFault(parsed.fault));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    location = `http://127.0.0.1:${port}/api/soap`;
    client = await createClientAsync(`${location}?wsdl`, { preserveWhitespace: true });
  });
  afterAll(() => {
    server.close();
    server.closeAllConnections();
  });
  beforeEach(() => {
    received = [];
  });

  const call = async (operation: SoapOperation, fields: object, reply: object) => {
    answer = soapResponse(operation, reply);
    const [result] = await client[`${operation}Async`](fields);
    return { request: received[0], result };
  };

  it("finds every operation, of one service with one port", () => {
    const { MesagoSms } = client.describe();
    expect(Object.keys(MesagoSms)).toEqual(["MesagoSmsPort"]);
    expect(Object.keys(MesagoSms.MesagoSmsPort)).toEqual([...SOAP_OPERATIONS]);
  });

  it.each<[SoapOperation, string, object, object, object]>([
    [
      "sendSms",
      "every field",
      {
        destination: "5519900001111",
        messageText: "  Olá <b>\n& ]]> 😀 ",
        from: "Loja",
        correlationId: "myId",
        scheduledDate: "2016-06-08T10:00:00",
        expiresDate: "2016-06-10T21:00:00",
        timeWindow: [11, 12],
        timeZone: "America/Sao_Paulo",
        callbackOption: "FINAL",
        extraInfo: '{"name": "Bob"}',
        flashSMS: true,
      },
      { timeWindow: ["11", "12"], flashSMS: "true" },
      {
        ...ok,
        hint: "<a> & b",
        id: "x",
        parts: [1, 2].map((n) => ({ partId: `x_00${n}`, order: n })),
      },
    ],
    [
      "sendSms",
      "one of what repeats",
      { destination: "1", messageText: "a", timeWindow: [11] },
      { timeWindow: ["11"] },
      { ...ok, parts: [{ partId: "x_001", order: 1 }] },
    ],
    ["sendSms", "none of what is optional", { destination: "1", messageText: "a" }, {}, ok],
    [
      "sendSmsMultiple",
      "messages and defaults",
      {
        messages: [
          { destination: "1", flashSMS: false },
          { destination: "2", messageText: "b" },
        ],
        defaultValues: { messageText: "a" },
        timeZone: "UTC",
        timeWindow: [12, 15],
      },
      {
        messages: [
          { destination: "1", flashSMS: "false" },
          { destination: "2", messageText: "b" },
        ],
        timeWindow: ["12", "15"],
      },
      {
        sendSmsResponseList: [
          { ...ok, parts: [{ partId: "p", order: 1 }] },
          { ...ok, id: "y" },
        ],
      },
    ],
    [
      "sendSmsMultiple",
      "one message",
      { messages: [{ destination: "1", messageText: "a" }] },
      {},
      { sendSmsResponseList: [ok] },
    ],
    [
      "sendSmsMultiple",
      "what is refused",
      { messages: [{ destination: "1" }] },
      {},
      { ...ok, hint: "no" },
    ],
    [
      "getSmsStatus",
      "a status",
      { id: "myId" },
      {},
      {
        id: "myId",
        received: "2014-08-26T12:55:48",
        shortcode: "30133",
        mobileOperatorName: "Claro",
        ...ok,
      },
    ],
    ["cancelSms", "an id", { id: "myId" }, {}, ok],
    ["receivedList", "nothing", {}, {}, ok],
    [
      "receivedList",
      "one message",
      {},
      {},
      { ...ok, receivedMessages: [{ ...mo, shortcode: "30133", body: " sim\n" }] },
    ],
    [
      "receivedSearch",
      "two messages",
      { startDate: "2014-08-22T00:00:00", endDate: "2014-08-22T23:59:59" },
      {},
      {
        ...ok,
        receivedMessages: [
          { ...mo, shortcode: "30133", mobileOperatorName: "Claro", correlationId: "c", body: "b" },
          { ...mo, shortcode: "30133", body: "c", correlatedMessageSmsId: "m" },
        ],
      },
    ],
  ])("calls %s with %s", async (operation, _, fields, asTexts, reply) => {
    const { request, result } = await call(operation, fields, reply);
    expect(request).toEqual({ ok: true, operation, fields: { ...fields, ...asTexts } });
    expect(result).toEqual(Object.keys(reply).length > 0 ? reply : null);
  });

  it("is told of faults", async () => {
    client.addSoapHeader('<a soap:mustUnderstand="1"/>');
    await expect(client.receivedListAsync({})).rejects.toMatchObject({
      root: { Envelope: { Body: { Fault: { faultcode: "soap:MustUnderstand" } } } },
    });
    client.clearSoapHeaders();
  });
});

describe("wsdl", () => {
  it("says what is qualified, what may be left out, and what repeats", () => {
    const document = wsdl("https://a/");
    expect(document).toContain(
      `targetNamespace="${SOAP_NAMESPACE}" elementFormDefault="qualified"`,
    );
    for (const element of [
      'name="startDate" type="xs:string"/>',
      'name="from" type="xs:string" minOccurs="0"/>',
      'name="timeWindow" type="xs:int" minOccurs="0" maxOccurs="unbounded"/>',
      'name="messages" type="tns:Sms" maxOccurs="unbounded"/>',
    ]) {
      expect(document).toContain(`<xs:element ${element}`);
    }
  });

  it("escapes the location", () => {
    expect(wsdl('https://a/?b&"c')).toContain('location="https://a/?b&amp;&quot;c"');
  });
});
