// Drives the service through the types that openapi-typescript made.
// Arguments: URL of the service, token, AppID and OpenID of a follower who got a reply.

import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

declare const process: { argv: string[]; exitCode: number };

type RuleIn = components["schemas"]["RuleIn"];

const [baseUrl, token, appid, openid] = process.argv.slice(2) as [string, string, string, string];
const client = createClient<paths>({
  baseUrl,
  headers: { Authorization: `Bearer ${token}` },
});

function must<T>(value: T | undefined, what: unknown): T {
  if (value === undefined) throw new Error(JSON.stringify(what));
  return value;
}

function equal(found: unknown, expected: unknown): void {
  if (found !== expected) throw new Error(`${found} is not ${expected}`);
}

const rule: RuleIn = {
  name: "TypeScript",
  enabled: true,
  priority: 100,
  trigger: { on: "text", match: "exact", keyword: "typescript", not: false, raw: false, voice: false },
  replies: [{ msgtype: "text", via: "passive", content: "一" }],
};
const added = await client.POST("/api/rules", { body: rule });
const ruleId = must(added.data, added.error).id;

const explained = await client.POST("/api/rules/explain", {
  body: { appid, text: "typescript", limit: 10 },
});
equal(must(explained.data, explained.error).winners[0]?.rule.id, ruleId);

const path = { rule_id: ruleId };
const read = await client.GET("/api/rules/{rule_id}", { params: { path } });
const stored = must(read.data, read.error);
const header = { "if-match": must(read.response.headers.get("etag") ?? undefined, "no ETag") };
const body = { ...stored, replies: [{ msgtype: "text" as const, via: "passive" as const, content: "二" }] };
const changed = await client.PUT("/api/rules/{rule_id}", { params: { path, header }, body });
equal(must(changed.data, changed.error).revision, stored.revision + 1);
const stale = await client.PUT("/api/rules/{rule_id}", { params: { path, header }, body });
equal(stale.response.status, 412);

const replies = await client.GET("/api/replies", { params: { query: { openid } } });
equal(must(replies.data, replies.error).items[0]?.appid, appid);

const person = await client.GET("/api/users", { params: { query: { appid, openid } } });
equal(must(person.data, person.error).openids[0]?.openid, openid);

const hook = await client.POST("/api/webhooks", {
  body: { url: "https://crm.example.com/typescript", description: "", types: ["*"], enabled: true },
});
const secret = must(hook.data, hook.error);
equal(secret.secret.startsWith("whsec_"), true);
await client.DELETE("/api/webhooks/{webhook_id}", { params: { path: { webhook_id: secret.id } } });
