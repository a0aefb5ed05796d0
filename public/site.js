// What the platform does not do. Every page works without it.
const d = document, root = d.documentElement, all = (s) => d.querySelectorAll(s), id = (i) => d.getElementById(i)
const near = (e, s) => e.target instanceof Element && e.target.closest(s), on = (t, f) => d.addEventListener(t, f)

// Announced, and seen as a toast for six seconds.
const toasts = d.createElement('div')
toasts.className = 'toasts'
toasts.role = 'status'
d.body.append(toasts)
const say = (text) => {
  const t = d.createElement('div')
  t.className = 'toast'
  t.textContent = text
  toasts.replaceChildren(t)
  setTimeout(() => t.remove(), 6000)
}

const copy = async (b) => {
  const from = id(b.dataset.copy) || b.closest('.code-block')?.querySelector('pre')
  try {
    await navigator.clipboard.writeText((from.value ?? from.textContent).trim())
    say('Copied')
  } catch {
    getSelection().selectAllChildren(from)
    say('Selected, ready to copy')
  }
}

const reveal = (b) => {
  const input = id(b.dataset.reveal), shown = input.type == 'text'
  input.type = shown ? 'password' : 'text'
  b.querySelector('span').textContent = shown ? 'Show' : 'Hide'
}

// The search palette comes with the islands' loader, which shows its field before the program has arrived.
const ways = '.site-search, .site-header [href="/search"]'
const palette = (f) => import('/assets/islands.js').then((m) => m[f]())
const search = () => palette('search').catch(() => location.assign('/search'))

on('click', (e) => {
  let b
  if ((b = near(e, '[data-copy]'))) copy(b)
  else if ((b = near(e, '[data-reveal]'))) reveal(b)
  else if ((b = near(e, '[data-dialog]')) && !b.command) id(b.dataset.dialog)?.showModal()
  else if ((b = near(e, '[data-close]')) && !b.command) b.closest('dialog').close()
  else if (near(e, ways) && !e.ctrlKey && !e.metaKey) {
    e.preventDefault()
    search()
  }
})

on('submit', (e) => {
  const form = e.target, b = e.submitter
  if (e.defaultPrevented) return
  if (form.matches('[data-theme-form]')) {
    e.preventDefault()
    if (b.value == 'system') delete root.dataset.theme
    else root.dataset.theme = b.value
    for (const o of form.querySelectorAll('button')) o.setAttribute('aria-pressed', o == b)
    fetch(form.action, { method: 'post', body: new URLSearchParams(new FormData(form, b)) })
  } else if (form.method == 'post') {
    // In flight: a second press does nothing.
    if (form.ariaBusy == 'true') return e.preventDefault()
    form.ariaBusy = 'true'
    b?.setAttribute('aria-busy', 'true')
  }
})

// A page back from the history is not in flight.
addEventListener('pageshow', () => {
  for (const x of all('form[aria-busy], .button[aria-busy]')) x.removeAttribute('aria-busy')
})

on('keydown', (e) => {
  const key = e.key.toLowerCase() == 'k' && (e.metaKey || e.ctrlKey)
  const slash = e.key == '/' && !e.ctrlKey && !e.metaKey && !near(e, 'input, textarea, select, [contenteditable]')
  if (!key && !slash) return
  e.preventDefault()
  search()
})

// Whoever goes to the search field is about to search. Where fetching is cheap, everybody may be.
for (const t of ['pointerover', 'focusin']) on(t, (e) => near(e, ways) && palette('program').catch(() => 0))
const net = navigator.connection
if (net?.effectiveType == '4g' && !net.saveData) setTimeout(() => requestIdleCallback(() => palette('prefetch').catch(() => 0)), 4000)

// Useless without script, so hidden till now.
for (const b of all('[data-copy], [data-reveal]')) b.hidden = false
if (/Mac|iP/.test(navigator.platform)) for (const k of all('[data-mac]')) k.textContent = k.dataset.mac
d.querySelector('.error-summary')?.focus()
