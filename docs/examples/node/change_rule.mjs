// Adds a rule, reads it again, and changes its priority without losing anybody else's change.
const { OA_BRIDGE_URL, OA_BRIDGE_TOKEN } = process.env;
const TRIES = 5;

const RULE = {
  name: "Opening hours",
  trigger: { on: "text", match: "contains", keyword: "营业时间" },
  replies: [{ msgtype: "text", via: "passive", content: "10:00-22:00" }],
};

async function call(method, path, { body, ifMatch } = {}) {
  const headers = {
    Authorization: `Bearer ${OA_BRIDGE_TOKEN}`,
    "Content-Type": "application/json",
  };
  if (ifMatch) headers["If-Match"] = ifMatch;
  return fetch(OA_BRIDGE_URL + path, { method, headers, body: body && JSON.stringify(body) });
}

async function jsonOf(answer) {
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  return answer.json();
}

// Change one member of a rule. 412: somebody else was quicker, so read it again.
async function setPriority(ruleId, priority) {
  const path = `/api/rules/${ruleId}`;
  for (let tries = 0; tries < TRIES; tries++) {
    const read = await call("GET", path);
    const { id, revision, created_at, updated_at, ...rule } = await jsonOf(read);
    const ifMatch = read.headers.get("etag");
    const answer = await call("PUT", path, { body: { ...rule, priority }, ifMatch });
    if (answer.status !== 412) return jsonOf(answer);
  }
  throw new Error(`rule ${ruleId} is changed again and again`);
}

const added = await jsonOf(await call("POST", "/api/rules", { body: RULE }));
const { id, name, priority, revision } = await setPriority(added.id, 200);
console.log(JSON.stringify({ id, name, priority, revision }));
