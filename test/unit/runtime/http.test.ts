import type { APIGatewayProxyEventV2 } from "aws-lambda";
import { describe, expect, it } from "vitest";
import {
  type ApiRequest,
  type ApiResponse,
  basicCredentials,
  createHttpFunction,
  isUtf8,
  isUtf8Type,
  MAX_BODY_BYTES,
  readJson,
} from "../../../functions/runtime/http.ts";
import { RecordingLog } from "../../support/recording-log.ts";

const eventFor = (overrides: Partial<APIGatewayProxyEventV2> = {}, method = "POST") =>
  ({
    version: "2.0",
    routeKey: "ANY /api/{proxy+}",
    rawPath: "/api/send-sms",
    rawQueryString: "",
    headers: { "Content-Type": "application/json" },
    requestContext: { http: { method }, requestId: "request-1" },
    isBase64Encoded: false,
    pathParameters: { proxy: "send-sms" },
    ...overrides,
  }) as APIGatewayProxyEventV2;

async function run(event: APIGatewayProxyEventV2, respond: (request: ApiRequest) => ApiResponse) {
  const log = new RecordingLog();
  const requests: ApiRequest[] = [];
  const lambda = createHttpFunction(
    {
      handle: async (request) => {
        requests.push(request);
        return respond(request);
      },
      onError: () => ({ status: 500, body: { error: "sorry" }, log: { traceId: "trace-1" } }),
    },
    log,
  );
  const response = await lambda(event);
  return { response, request: requests[0], log };
}

const fine = () => ({ status: 201, body: { fine: true } });

describe("createHttpFunction", () => {
  it("answers JSON with the status", async () => {
    const { response } = await run(eventFor(), fine);
    expect(response).toEqual({
      statusCode: 201,
      headers: { "content-type": "application/json; charset=utf-8" },
      body: '{"fine":true}',
    });
  });

  it("answers a text as it stands, with the headers of the dialect", async () => {
    const headers = { "content-type": "text/xml; charset=utf-8", allow: "GET" };
    const { response } = await run(eventFor(), () => ({ status: 405, headers, body: "<a/>" }));
    expect(response).toEqual({ statusCode: 405, headers, body: "<a/>" });
  });

  it.each([
    ["", ""],
    [null, "null"],
    [["a"], '["a"]'],
    [{ a: undefined }, "{}"],
  ])("answers %j as %s", async (body, sent) => {
    const { response } = await run(eventFor(), () => ({ status: 200, body }));
    expect(response.body).toBe(sent);
  });

  it.each([
    ["plain", { body: "olá" }],
    ["base64", { body: Buffer.from("olá").toString("base64"), isBase64Encoded: true }],
  ])("reads a body that comes %s", async (_, overrides) => {
    const { request } = await run(eventFor(overrides), fine);
    expect(request?.body.toString("utf8")).toBe("olá");
  });

  it("reads bytes that are no text as they are", async () => {
    const bytes = Buffer.from([0, 255, 216, 10]);
    const event = eventFor({ body: bytes.toString("base64"), isBase64Encoded: true });
    expect((await run(event, fine)).request?.body).toEqual(bytes);
  });

  it("reads headers by their lower-case names, and what is missing as empty", async () => {
    const { request } = await run(eventFor({ headers: { "Content-Type": "a", HOST: "b" } }), fine);
    expect(request?.headers).toEqual({ "content-type": "a", host: "b" });
    expect(request?.query).toEqual({});
    expect(request?.body).toEqual(Buffer.alloc(0));
  });

  it("reads the method and the query", async () => {
    const queryStringParameters = { WSDL: "", version: "1.0" };
    const { request } = await run(eventFor({ queryStringParameters }, "GET"), fine);
    expect(request).toMatchObject({ method: "GET", query: queryStringParameters });
  });

  it.each([
    [
      "the decoded path parameter",
      { pathParameters: { proxy: "get-sms-status/id/a/b" } },
      "/api/get-sms-status/id/a/b",
    ],
    [
      "a percent sign, which API Gateway leaves encoded",
      { pathParameters: { proxy: "id/100%25" } },
      "/api/id/100%",
    ],
    ["a parameter with a dollar sign", { pathParameters: { proxy: "id/$&" } }, "/api/id/$&"],
    [
      "another route's parameter",
      { routeKey: "ANY /services/{proxy+}", pathParameters: { proxy: "cancel-sms/a b" } },
      "/services/cancel-sms/a b",
    ],
    ["what is encoded twice", { pathParameters: { proxy: "id/%2525" } }, "/api/id/%25"],
    ["a slash at the end", { pathParameters: { proxy: "id/abc/" } }, "/api/id/abc/"],
    [
      "the path itself where the route has no parameter",
      { routeKey: "ANY /api", rawPath: "/api", pathParameters: {} },
      "/api",
    ],
  ])("takes its path from %s", async (_, overrides, path) => {
    const { request } = await run(eventFor(overrides), fine);
    expect(request?.path).toBe(path);
  });

  it("answers what is thrown as the dialect does, and logs it", async () => {
    const { response, log } = await run(eventFor(), () => {
      throw new Error("boom");
    });
    expect(response).toMatchObject({ statusCode: 500, body: '{"error":"sorry"}' });
    expect(log.errors).toMatchObject([{ message: "request failed", detail: "boom" }]);
    expect(log.infos).toMatchObject([{ message: "request", status: 500, traceId: "trace-1" }]);
  });

  it("writes one line for a request, with what the dialect says of it", async () => {
    const { log } = await run(eventFor(), () => ({ ...fine(), log: { detailCode: "000" } }));
    expect(log.infos).toMatchObject([
      { message: "request", status: 201, requestId: "request-1", detailCode: "000" },
    ]);
    expect(log.errors).toEqual([]);
  });

  it("writes nothing of the request into that line but its method and number", async () => {
    const { log } = await run(
      eventFor({
        body: "secret body",
        headers: { authorization: "secret header" },
        rawPath: "/api/secret-path",
        pathParameters: { proxy: "secret-path" },
        queryStringParameters: { secret: "secret" },
      }),
      fine,
    );
    expect(Object.keys(log.infos[0] ?? {}).sort()).toEqual(
      ["message", "method", "ms", "requestId", "status"].sort(),
    );
    expect(JSON.stringify(log.infos)).not.toContain("secret");
  });
});

describe("readJson", () => {
  const read = (body: string | Buffer, contentType?: string, maxBytes?: number) =>
    readJson(
      {
        method: "POST",
        path: "/",
        query: {},
        headers: { "content-type": contentType },
        body: Buffer.from(body),
        sourceIp: "203.0.113.1",
      },
      maxBytes,
    );
  const problem = (name: string) => ({ ok: false, problem: name });

  it.each([
    ['{"a":[1,null]}', { a: [1, null] }],
    ["null", null],
    [" 5 ", 5],
    ['"ção 😀"', "ção 😀"],
    ['\ufeff{"a":1}', { a: 1 }],
  ])("reads %j", (body, value) => {
    expect(read(body)).toEqual({ ok: true, value });
  });

  it.each([
    ["", "empty"],
    [" \n\t", "empty"],
    ["\ufeff", "empty"],
    ["{", "malformed"],
    ["undefined", "malformed"],
    ["{}{}", "malformed"],
    [Buffer.from('"olá"', "latin1"), "malformed"],
    [Buffer.from("{}", "utf16le"), "malformed"],
  ])("says what is wrong with %j", (body, name) => {
    expect(read(body)).toEqual(problem(name));
  });

  it("takes 1 MiB, or what it is told to take, counted in bytes, and no more", () => {
    const text = (bytes: number) => `"${"x".repeat(bytes - 2)}"`;
    expect(read(text(MAX_BODY_BYTES))).toMatchObject({ ok: true });
    expect(read(text(MAX_BODY_BYTES + 1))).toEqual(problem("too-large"));
    expect(read(text(10), undefined, 10)).toMatchObject({ ok: true });
    expect(read(text(11), undefined, 10)).toEqual(problem("too-large"));
    expect(read('"çç"', undefined, 5)).toEqual(problem("too-large"));
  });

  it("looks at the size first, then at the type, then at what is in it", () => {
    expect(read("{{{", "text/plain", 2)).toEqual(problem("too-large"));
    expect(read("{{{", "text/plain")).toEqual(problem("not-json-type"));
    expect(read("{{{", "application/json")).toEqual(problem("malformed"));
  });

  it.each([
    undefined,
    "application/json",
    "Application/JSON",
    "application/json;charset=utf-8",
    'application/json ; charset = "UTF-8"',
    "application/json; charset=utf8",
    "application/json; charset=us-ascii",
    "application/json; profile=x",
    "application/problem+json",
    "application/vnd.client.v1-2+json; charset=utf-8",
  ])("takes the type %s for JSON", (contentType) => {
    expect(read("{}", contentType)).toMatchObject({ ok: true });
  });

  it.each([
    "",
    "text/json",
    "text/plain",
    "application/jsonp",
    "application/json2",
    "application/x-www-form-urlencoded",
    "xapplication/json",
    "application/json; charset=iso-8859-1",
    "application/json; charset=utf-16",
    'application/json; profile=x; charset="latin1"',
  ])("does not take the type %j for JSON", (contentType) => {
    expect(read("{}", contentType)).toEqual(problem("not-json-type"));
  });
});

describe("isUtf8 and isUtf8Type", () => {
  it("know the names of UTF-8 and of ASCII, in any case", () => {
    for (const name of ["utf-8", "UTF-8", "utf8", "US-ASCII"]) {
      expect(isUtf8(name)).toBe(true);
      expect(isUtf8Type(`text/xml; charset=${name}`)).toBe(true);
      expect(isUtf8Type(`text/xml;charset="${name}"; x=y`)).toBe(true);
    }
    for (const name of ["", "utf-16", "utf-88", "iso-8859-1", "ascii"]) {
      expect(isUtf8(name)).toBe(false);
    }
    expect(isUtf8Type("text/xml; charset=utf-16")).toBe(false);
  });

  it("take a type without charset for UTF-8", () => {
    expect(isUtf8Type("text/xml")).toBe(true);
    expect(isUtf8Type("")).toBe(true);
  });
});

describe("basicCredentials", () => {
  const header = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;

  it("reads the document's example", () => {
    expect(basicCredentials("Basic Y29udGE6c2VuaGE=")).toEqual({
      user: "conta",
      password: "senha",
    });
  });

  it("takes the scheme in any case, a password with colons, and UTF-8", () => {
    expect(basicCredentials(header("a:b:c").replace("Basic", "bASIC"))).toEqual({
      user: "a",
      password: "b:c",
    });
    expect(basicCredentials(header("josé:ção"))).toEqual({ user: "josé", password: "ção" });
  });

  it.each([undefined, "", "Basic", "Basic ", "Digest abc", header("nocolon"), "Basic ñ"])(
    "reads nothing out of %s",
    (value) => {
      expect(basicCredentials(value)).toBeUndefined();
    },
  );
});
