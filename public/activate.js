// The editor hands over a key behind the #, which no server is sent. The form takes it, and the address forgets it.
const take = () => {
  const given = new URLSearchParams(location.hash.slice(1))
  let last
  for (const [name, id] of [['key', 'licenseKey'], ['email', 'email']]) {
    const field = document.getElementById(id)
    if (field && given.has(name)) (last = field).value = given.get(name)
  }
  if (given.has('key')) history.replaceState(null, '', location.pathname + location.search)
  last?.focus()
}
take()
addEventListener('hashchange', take)
