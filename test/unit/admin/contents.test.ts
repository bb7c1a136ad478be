import { describe, expect, it } from "vitest";
import { codeOf, TestAdmin } from "./support.ts";

describe("templates", () => {
  it("are created, shown, listed, changed and removed", async () => {
    const api = await TestAdmin.create();
    const created = await api.ask("POST", "/templates", {
      name: "welcome",
      text: "Olá {{name}}",
      subAccount: "Sales",
    });
    expect(created).toMatchObject({
      status: 201,
      headers: { location: "/admin/v1/templates/1" },
      body: { templateId: 1, name: "welcome", text: "Olá {{name}}", subAccount: "Sales" },
    });
    expect((await api.get("/templates/1")).body).toEqual(created.body);
    expect((await api.get("/templates/0001")).body).toEqual(created.body);
    expect((await api.get("/templates")).body).toEqual({ total: 1, templates: [created.body] });
    const changed = await api.ask("PATCH", "/templates/1", { text: "Oi", subAccount: null });
    expect(changed.body).toMatchObject({ templateId: 1, name: "welcome", text: "Oi" });
    expect(changed.body).not.toHaveProperty("subAccount");
    expect((await api.ask("DELETE", "/templates/1")).status).toBe(204);
    expect(codeOf(await api.ask("DELETE", "/templates/1"))).toBe("404 NOT_FOUND");
  });

  it("can have a number of one's choice, 0 among them, once", async () => {
    const api = await TestAdmin.create();
    const create = (text: string) =>
      api.ask("POST", "/templates", { templateId: 0, name: "a", text });
    expect(await create("b")).toMatchObject({ status: 201, body: { templateId: 0 } });
    expect(codeOf(await create("c"))).toBe("409 CONFLICT");
  });

  it.each([
    {},
    { name: "a" },
    { name: "", text: "b" },
    { name: "a", text: "" },
    { name: "a", text: "b".repeat(1_281) },
    { name: "a", text: "\ud800" },
    { name: "\udc00", text: "b" },
    { name: "a", text: "b", subAccount: "None" },
    { name: "a", text: "b", templateId: -1 },
    { name: "a", text: "b", templateId: "1" },
  ])("cannot be %j", async (body) => {
    const api = await TestAdmin.create();
    expect(codeOf(await api.ask("POST", "/templates", body))).toBe("400 INVALID_REQUEST");
  });

  it.each([{ text: "" }, { name: null }, { subAccount: "None" }, { templateId: 2 }])(
    "are not changed to %j",
    async (body) => {
      const api = await TestAdmin.create();
      await api.ask("POST", "/templates", { name: "a", text: "b" });
      expect(codeOf(await api.ask("PATCH", "/templates/1", body))).toBe("400 INVALID_REQUEST");
    },
  );

  it("are created once, by one of two at a time", async () => {
    const api = await TestAdmin.create();
    const create = (path: string, body: object) => api.ask("POST", path, body);
    for (const [path, name] of [
      ["/templates", { name: "a", templateId: 5 }],
      ["/flows", { flowId: "mine" }],
    ] as const) {
      const both = await Promise.all([
        create(path, { ...name, text: "one" }),
        create(path, { ...name, text: "two" }),
      ]);
      expect(both.map(codeOf).sort()).toEqual(["201", "409 CONFLICT"]);
    }
  });

  it("that are removed while they are being changed stay so", async () => {
    const api = await TestAdmin.create();
    const { contents } = api;
    await api.ask("POST", "/templates", { name: "a", text: "b" });
    await api.ask("POST", "/flows", { flowId: "f", text: "b" });
    const template = contents.findTemplate.bind(contents);
    const flow = contents.findFlow.bind(contents);
    let lookUps = 0;
    contents.findTemplate = async (account, templateId) => {
      const found = await template(account, templateId);
      if (++lookUps === 2) await contents.removeTemplate(account, templateId);
      return found;
    };
    contents.findFlow = async (account, flowId) => {
      const found = await flow(account, flowId);
      if (++lookUps === 6) await contents.removeFlow(account, flowId);
      return found;
    };
    expect(codeOf(await api.ask("PATCH", "/templates/1", { text: "c" }))).toBe("404 NOT_FOUND");
    expect(await template("acme", 1)).toBeUndefined();
    lookUps = 3;
    expect(codeOf(await api.ask("PUT", "/flows/f", { text: "c" }))).toBe("404 NOT_FOUND");
    expect(await flow("acme", "f")).toBeUndefined();
  });

  it("that vanish while they are being changed are gone", async () => {
    const api = await TestAdmin.create();
    await api.ask("POST", "/templates", { name: "a", text: "b" });
    const find = api.contents.findTemplate.bind(api.contents);
    let lookUps = 0;
    api.contents.findTemplate = async (...name) => (lookUps++ === 0 ? find(...name) : undefined);
    expect(codeOf(await api.ask("PATCH", "/templates/1", {}))).toBe("404 NOT_FOUND");
  });
});

describe("campaigns", () => {
  it("are created, shown, listed and removed, whatever their alias", async () => {
    const api = await TestAdmin.create();
    const alias = "Páscoa 50%/2026?";
    const created = await api.ask("POST", "/campaigns", { alias });
    expect(created).toMatchObject({
      status: 201,
      headers: { location: "/admin/v1/campaigns/P%C3%A1scoa%2050%25%2F2026%3F" },
      body: { campaignId: 1, alias },
    });
    expect((await api.get(`/campaigns/${alias}`)).body).toEqual(created.body);
    expect((await api.get("/campaigns")).body).toEqual({ total: 1, campaigns: [created.body] });
    expect((await api.ask("DELETE", `/campaigns/${alias}`)).status).toBe(204);
    expect(codeOf(await api.get(`/campaigns/${alias}`))).toBe("404 NOT_FOUND");
  });

  it("have an alias of their own", async () => {
    const api = await TestAdmin.create();
    const create = () => api.ask("POST", "/campaigns", { alias: "Promo" });
    expect((await create()).status).toBe(201);
    expect(codeOf(await create())).toBe("409 CONFLICT");
  });

  it.each([{}, { alias: "" }, { alias: "#" }, { alias: "\n" }, { alias: "\ud800" }, { alias: 1 }])(
    "cannot be %j",
    async (body) => {
      const api = await TestAdmin.create();
      expect(codeOf(await api.ask("POST", "/campaigns", body))).toBe("400 INVALID_REQUEST");
    },
  );
});

describe("flows", () => {
  it("are created, shown, listed, replaced and removed", async () => {
    const api = await TestAdmin.create();
    const created = await api.ask("POST", "/flows", { text: "Olá" });
    expect(created).toMatchObject({
      status: 201,
      headers: { location: "/admin/v1/flows/uuid-1" },
      body: { flowId: "uuid-1", text: "Olá", createdAt: "2026-03-02T15:00:00Z" },
    });
    expect((await api.get("/flows/uuid-1")).body).toEqual(created.body);
    expect((await api.get("/flows")).body).toEqual({ total: 1, flows: [created.body] });
    expect(await api.ask("PUT", "/flows/uuid-1", { text: "Oi" })).toMatchObject({
      status: 200,
      body: { flowId: "uuid-1", text: "Oi" },
    });
    expect((await api.ask("DELETE", "/flows/uuid-1")).status).toBe(204);
    expect(codeOf(await api.get("/flows/uuid-1"))).toBe("404 NOT_FOUND");
  });

  it("can be put under an id of one's choice", async () => {
    const api = await TestAdmin.create();
    const put = await api.ask("PUT", "/flows/mine", { text: "Oi" });
    expect((await api.get("/flows/mine")).body).toEqual(put.body);
    const posted = await api.ask("POST", "/flows", { flowId: "mine", text: "Olá" });
    expect(codeOf(posted)).toBe("409 CONFLICT");
  });

  it.each([{}, { text: "" }, { text: "\ud800" }, { text: "a", flowId: "a/b" }, { text: null }])(
    "cannot be %j",
    async (body) => {
      const api = await TestAdmin.create();
      expect(codeOf(await api.ask("POST", "/flows", body))).toBe("400 INVALID_REQUEST");
    },
  );
});
