// Runs the client with a wx of its own and a clock that is moved. Standard input: the steps.
const { readFileSync } = require('node:fs')
const steps = JSON.parse(readFileSync(0, 'utf8'))
const state = { now: 1e12, timers: [], stored: {}, answers: [], sent: [], made: 0, shift: 0 }
Date.now = () => state.now + state.shift
global.setTimeout = (run, wait) => {
  state.timers.push({ id: ++state.made, run, at: state.now + wait })
  return state.made
}
global.clearTimeout = id => { state.timers = state.timers.filter(one => one.id !== id) }
global.wx = {
  getStorageSync: key => JSON.parse(state.stored[key] ?? '""'),
  setStorageSync: (key, value) => {
    if (state.full) throw new Error('full')
    state.stored[key] = JSON.stringify(value)
  },
  request: asked => {
    const { url, method, header, data } = JSON.parse(JSON.stringify(asked))
    state.sent.push({ at: state.now - 1e12, url, method, header, data })
    const code = state.answers.shift() ?? 200
    setTimeout(() => asked.complete(code ? { statusCode: code } : { errMsg: 'fail' }), 100)
  }
}
function start() {
  delete require.cache[require.resolve(process.argv[2])]
  const header = () => {
    if (state.signedOut) throw new TypeError('session is null')
    return { s: '1' }
  }
  return require(process.argv[2])({ url: 'https://shop.example.com/a', header })
}
function wait(milliseconds) {
  const end = state.now + milliseconds
  for (;;) {
    const next = state.timers.filter(one => one.at <= end).sort((a, b) => a.at - b.at)[0]
    if (!next) break
    state.timers = state.timers.filter(one => one !== next)
    state.now = next.at
    // In a mini-program an error of a timer ends nothing else.
    try { next.run() } catch (error) { if (!state.signedOut) throw error }
  }
  state.now = end
}
let client = start()
const refs = []
for (const [step, value] of steps) {
  if (step === 'show') { client.onShow(value); refs.push(client.ref() ?? null) }
  if (step === 'wait') wait(value)
  if (step === 'answers') state.answers = value
  if (step === 'full') state.full = value
  if (step === 'signed out') state.signedOut = value
  if (step === 'clock') state.shift += value
  if (step === 'restart') { state.timers = []; client = start() }
}
console.log(JSON.stringify({ sent: state.sent, refs }))
