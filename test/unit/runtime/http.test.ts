import type { APIGatewayProxyEventV2 } from "aws-lambda";
import { describe, expect, it } from "vitest";
import {
  type ApiRequest,
  type ApiResponse,
  basicCredentials,
  createHttpFunction,
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
      onError: () => ({ status: 500, body: { error: "sorry" } }),
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

  it.each([
    ["plain", { body: "olá" }],
    ["base64", { body: Buffer.from("olá").toString("base64"), isBase64Encoded: true }],
  ])("reads a body that comes %s", async (_, overrides) => {
    const { request } = await run(eventFor(overrides), fine);
    expect(request?.body.toString("utf8")).toBe("olá");
  });

  it("reads headers by their lower-case names and a missing query as empty", async () => {
    const { request } = await run(eventFor(), fine);
    expect(request?.headers["content-type"]).toBe("application/json");
    expect(request?.query).toEqual({});
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
  });

  it("writes one line for a request, with what the dialect says of it", async () => {
    const { log } = await run(eventFor(), () => ({ ...fine(), log: { detailCode: "000" } }));
    expect(log.infos).toMatchObject([
      { message: "request", status: 201, requestId: "request-1", detailCode: "000" },
    ]);
    expect(log.errors).toEqual([]);
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
