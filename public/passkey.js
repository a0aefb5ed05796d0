// Asks the browser for a passkey and sends its answer on in the form. Where there are none, the form stays hidden.
const all = (s) => window.PublicKeyCredential ? document.querySelectorAll(s) : []
const WORDS = {
  AbortError: '',
  InvalidStateError: 'This device has a passkey for your account already.',
  NotAllowedError: 'Nothing was changed. Try again when you are ready.',
  TypeError: 'The server cannot be reached. Try again.',
}
let offer

// As base64url, both ways.
const bytes = (t) => Uint8Array.from(atob(t.replace(/[-_]/g, (c) => c == '-' ? '+' : '/')), (c) => c.charCodeAt())
const text = (b) => btoa(String.fromCharCode(...new Uint8Array(b))).replace(/\W/g, (c) => ({ '+': '-', '/': '_' })[c] ?? '')

const ask = async (f, more) => {
  const r = await fetch(f.dataset.options, { method: 'post', headers: { accept: 'application/json' }, body: new URLSearchParams() })
  const { ticket, options: o, ...no } = await r.json()
  if (!o) throw { status: r.status, ...no }
  for (const x of [o, o.user, ...o.excludeCredentials ?? [], ...o.allowCredentials ?? []])
    for (const k of ['id', 'challenge']) if (x?.[k]) x[k] = bytes(x[k])
  const c = await navigator.credentials[f.dataset.passkey]({ publicKey: o, ...more })
  const response = {}
  for (const k of ['clientDataJSON', 'attestationObject', 'authenticatorData', 'signature', 'userHandle'])
    if (c.response[k]) response[k] = text(c.response[k])
  f.ticket.value = ticket
  f.credential.value = JSON.stringify({ id: c.id, rawId: text(c.rawId), type: c.type, response })
  f.ariaBusy = null
  f.requestSubmit()
}

const submit = (e) => {
  const f = e.target, say = (words) => f.querySelector('[data-passkey-status]').textContent = words
  if (f.credential.value) return
  e.preventDefault()
  if (f.ariaBusy) return
  f.ariaBusy = 'true'
  say('')
  offer?.abort()
  ask(f).catch((e) => {
    f.ariaBusy = null
    if (e.code == 'fresh_sign_in_required') location = "/account/confirm?next=" + location.pathname
    else if (e.status == 401) location = '/sign-in'
    else say(e.detail ?? WORDS[e.name] ?? 'That did not work. Try again.')
  })
}

// Among the suggestions of the address field. Challenges end, so it is asked for anew.
const suggest = async () => {
  const [f] = all('[data-passkey-autofill]')
  if (!f || f.ariaBusy || !await PublicKeyCredential.isConditionalMediationAvailable?.()) return
  offer?.abort()
  offer = new AbortController()
  ask(f, { mediation: 'conditional', signal: offer.signal }).catch(() => {})
}

const forms = all('form[data-passkey]')
for (const f of forms) f.onsubmit = submit
for (const x of all('[data-passkey-only], form[data-passkey] button')) x.hidden = false
// What the browser kept answers an old challenge.
addEventListener('pageshow', () => forms.forEach((f) => f.credential.value = ''))
suggest()
setInterval(suggest, 24e4)
