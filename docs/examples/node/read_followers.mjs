// Prints the OpenID of every follower, then the cursor for the next run.
// node read_followers.mjs [CURSOR]
const { OA_BRIDGE_URL, OA_BRIDGE_TOKEN } = process.env;

// Page after page. The filters stay the same; only the cursor changes.
async function* pages(path, query) {
  let after = query.after;
  do {
    const asked = new URLSearchParams(after ? { ...query, after } : query);
    const answer = await fetch(`${OA_BRIDGE_URL}${path}?${asked}`, {
      headers: { Authorization: `Bearer ${OA_BRIDGE_TOKEN}` },
    });
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
    const page = await answer.json();
    yield page;
    after = page.next;
  } while (after !== null);
}

const cursor = process.argv[2];
let later;
for await (const page of pages("/api/followers", { limit: 500, ...(cursor && { after: cursor }) })) {
  for (const follower of page.items) console.log(follower.openid);
  later = page.later;
}
// Store it: passed as `after`, it leads to what has arrived since.
console.log(later);
