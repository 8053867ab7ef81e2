// Passes what a mini-program reports on to OA Bridge. Standard input: the body of its request.
// node report_arrivals.mjs OPENID <body.json
import { readFileSync } from "node:fs";

const { OA_BRIDGE_URL, OA_BRIDGE_TOKEN, MINI_PROGRAM_APPID } = process.env;
const WEEK = 7 * 24 * 3600 * 1000;

// openid: of your own session, never one that the mini-program sends. Conversions are not taken
// from a phone: report an order when it is paid, with its number as id.
function reportOf(sent, openid, now) {
  const { id, kind, scene, path, query, referrer_appid, ref } = sent;
  const at = new Date(now - Math.min(Number(sent.ago ?? 0), WEEK)).toISOString();
  return { id, kind, scene, path, query, referrer_appid, ref, appid: MINI_PROGRAM_APPID, openid, at };
}

// Report to OA Bridge. It may be repeated: after a time-out, simply send it again.
async function passOn(reports) {
  const answer = await fetch(`${OA_BRIDGE_URL}/api/arrivals`, {
    method: "POST",
    headers: { Authorization: `Bearer ${OA_BRIDGE_TOKEN}`, "Content-Type": "application/json" },
    body: JSON.stringify({ reports }),
    signal: AbortSignal.timeout(5000),
  });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  return answer.json();
}

const body = JSON.parse(readFileSync(0, "utf8"));
const now = Date.now();
const launches = body.reports.slice(0, 100).filter((sent) => sent.kind === "launch");
if (launches.length) {
  const reports = launches.map((sent) => reportOf(sent, process.argv[2], now));
  console.log(JSON.stringify(await passOn(reports)));
}
