// Reports who enters the mini-program to your backend, which passes it on to OA Bridge.
// README.md has the use.
const KEY = 'oa-bridge', SOON = 1e3, LONG = 3e5
const RETRY = [0, 401, 408, 429]

module.exports = config => {
  let queue = [], ref, last, at = 0, timer, busy, pause = SOON
  try { queue = wx.getStorageSync(KEY) || [] } catch (e) {}

  function keep() {
    queue = queue.slice(-50)
    try { wx.setStorageSync(KEY, queue) } catch (e) {}
  }

  function later(wait) {
    clearTimeout(timer)
    timer = setTimeout(send, wait)
  }

  function add(report) {
    const t = Date.now()
    report.id = t.toString(36) + Math.random().toString(36).slice(2, 12)
    queue.push({ t, report })
    keep()
    later(SOON)
  }

  function send() {
    if (busy || !queue.length) return
    const sent = queue.slice(0, 20), now = Date.now(), header = config.header ? config.header() : {}
    busy = true
    wx.request({
      url: config.url,
      method: 'POST',
      header,
      // A phone's clock may be wrong; how long ago it was is right.
      data: { reports: sent.map(one => Object.assign({ ago: Math.max(0, now - one.t) }, one.report)) },
      complete({ statusCode: code = 0 }) {
        busy = false
        if (code >= 500 || RETRY.includes(code)) return later(pause = Math.min(pause * 2, LONG))
        queue = queue.filter(one => !sent.includes(one))
        keep()
        later(pause = SOON)
      }
    })
  }

  return {
    onShow({ scene, path, query = {}, referrerInfo }) {
      const now = Date.now(), same = JSON.stringify([scene, path, query])
      ref = query.ref || query.scene || ref
      later(SOON)
      // Coming back from the task list repeats the entry before.
      if (same === last && now - at < LONG) return
      last = same
      at = now
      add({ kind: 'launch', scene, path, query, referrer_appid: (referrerInfo || {}).appId })
    },
    // Send it along with an order: your backend reports the order once it is paid.
    ref: () => ref
  }
}
