// After wx.login: turns the code into OpenID and UnionID, and reports them to OA Bridge.
// node report_identity.mjs CODE
const WECHAT = process.env.WECHAT_API ?? "https://api.weixin.qq.com";
const { OA_BRIDGE_URL, OA_BRIDGE_TOKEN, MINI_PROGRAM_APPID, MINI_PROGRAM_SECRET } = process.env;

// Ask WeChat who has logged in. The answer's session_key stays on this server.
async function code2session(code) {
  const query = new URLSearchParams({
    appid: MINI_PROGRAM_APPID,
    secret: MINI_PROGRAM_SECRET,
    js_code: code,
    grant_type: "authorization_code",
  });
  const url = `${WECHAT}/sns/jscode2session?${query}`;
  const session = await (await fetch(url, { signal: AbortSignal.timeout(5000) })).json();
  if (session.errcode) {
    throw new Error(`WeChat refuses the code: ${session.errcode} ${session.errmsg}`);
  }
  return session;
}

// Tell OA Bridge who this is. It may be repeated: after a time-out, simply send it again.
async function report(openid, unionid, loggedInAt) {
  const answer = await fetch(`${OA_BRIDGE_URL}/api/identities`, {
    method: "PUT",
    headers: { Authorization: `Bearer ${OA_BRIDGE_TOKEN}`, "Content-Type": "application/json" },
    body: JSON.stringify({
      identities: [
        { appid: MINI_PROGRAM_APPID, openid, unionid, logged_in_at: loggedInAt.toISOString() },
      ],
    }),
    signal: AbortSignal.timeout(5000),
  });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  return answer.json();
}

const now = new Date();
const { openid, unionid } = await code2session(process.argv[2]);
if (unionid) {
  console.log(JSON.stringify(await report(openid, unionid, now)));
} else {
  console.log("no UnionID: nothing to report");
}
