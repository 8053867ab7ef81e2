// Receives webhooks: checks the signature, prints the event, answers 204.
// WEBHOOK_SECRET and PORT come from the environment.
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const TOLERANCE_SECONDS = 300;
const { WEBHOOK_SECRET, PORT } = process.env;

// body: the bytes as they came, before any parsing. Throws when the request is not genuine.
function verify(secret, headers, body) {
  const id = headers["webhook-id"] ?? "";
  const timestamp = headers["webhook-timestamp"] ?? "";
  const away = Math.abs(Date.now() / 1000 - Number(timestamp));
  if (!/^\d+$/.test(timestamp) || away > TOLERANCE_SECONDS) {
    throw new Error("the timestamp is missing, or more than five minutes away");
  }
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const hmac = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body);
  const expected = Buffer.from(`v1,${hmac.digest("base64")}`);
  // While a secret is being changed there are two signatures: one of them has to fit.
  const fits = (headers["webhook-signature"] ?? "").split(" ").some((signature) => {
    const given = Buffer.from(signature);
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
  if (!fits) throw new Error("no signature fits");
}

// Keep the event, once per id. In your program: one INSERT into your database.
async function store(id, event) {
  console.log(JSON.stringify({ id, ...event }));
}

const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  try {
    verify(WEBHOOK_SECRET, request.headers, body);
  } catch (error) {
    response.writeHead(400).end(error.message);
    return;
  }
  await store(request.headers["webhook-id"], JSON.parse(body));
  response.writeHead(204).end();
});
server.listen(Number(PORT), "127.0.0.1");
