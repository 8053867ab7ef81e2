/* Opens mini-programs from web pages; see "JS-SDK" in the documentation of OA Bridge. */
((d, w) => {
  const me = d.currentScript, base = new URL(me.src).origin;
  const random = () => Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) =>
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"[b & 63]).join("");

  const path = (data) => {
    const [page, given] = (data.path || "").replace(/^\//, "").split("?");
    const query = new URLSearchParams(given || "");
    for (const name of ["Source", "Medium", "Campaign", "Term", "Content"])
      if (data["utm" + name]) query.set("utm_" + name.toLowerCase(), data["utm" + name]);
    query.set("ref", (data.go ? data.go + "." : "") + random());
    return (page && !page.endsWith(".html") ? page + ".html" : page) + "?" + query;
  };

  const link = (box) => {
    if (box.dataset.oaBridge === "link") return;
    box.dataset.oaBridge = "link";
    if (box.inside) box.replaceChildren(...box.inside);
    if (!/^[\w-]+$/.test(box.dataset.go || "")) return;
    const a = d.createElement("a");
    a.href = base + "/go/" + box.dataset.go;
    a.style.cssText = "color:inherit;text-decoration:none";
    a.append(...box.childNodes);
    box.append(a);
  };

  const tag = (box) => {
    const target = box.dataset.miniProgram, el = d.createElement("wx-open-launch-weapp");
    el.setAttribute(target.startsWith("gh_") ? "username" : "appid", target);
    el.setAttribute("path", path(box.dataset));
    if (box.dataset.envVersion) el.setAttribute("env-version", box.dataset.envVersion);
    el.style.display = "block";
    const slot = d.createElement("script");
    slot.type = "text/wxtag-template";
    slot.text = box.innerHTML;
    el.append(slot);
    el.addEventListener("error", () => link(box));
    box.inside = [...box.childNodes];
    box.dataset.oaBridge = "tag";
    box.replaceChildren(el);
  };

  const boxes = () => d.querySelectorAll("[data-mini-program]");
  const fail = () => boxes().forEach(link);
  const sdk = () => w.wx && w.wx.config ? 0 : new Promise((done, failed) => {
    const script = d.createElement("script");
    script.src = "https://res.wx.qq.com/open/js/jweixin-1.6.0.js";
    script.onload = done;
    script.onerror = failed;
    d.head.append(script);
  });

  /* A page that changes its address without loading calls it again. */
  w.oaBridge = async () => {
    if (!/MicroMessenger/i.test(navigator.userAgent)) return fail();
    const page = encodeURIComponent(location.href.split("#")[0]);
    try {
      const [got] = await Promise.all(
        [fetch(`${base}/jssdk/${me.dataset.appid}?url=${page}`), sdk()]);
      if (!got.ok) throw got;
      w.wx.error(fail);
      w.wx.config(await got.json());
      boxes().forEach((box) => box.dataset.oaBridge || tag(box));
    } catch {
      fail();
    }
  };
  d.addEventListener("WeixinOpenTagsError", fail);
  w.oaBridge();
})(document, window);
