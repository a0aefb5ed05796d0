// The islands' program: woken on pages that have islands, and fetched by site.js for the search palette on any page.
// It is fetched once, by whoever asks first; when that fails the next one may try again.
let coming;
export const program = () => coming ??= (async () => {
  const [parts, module_or_path] = await Promise.all([import('__APP_JS__'), fetch('__APP_WASM__')]);
  await parts.default({ module_or_path });
  parts.hydrate();
  return parts;
})().catch((failure) => {
  coming = undefined;
  throw failure;
});

// Into the browser's cache and no further.
export const prefetch = () => Promise.all(['__APP_JS__', '__APP_WASM__'].map((address) => fetch(address, { priority: 'low' })));

// Islands stand in the page as <leptos-island data-component="name">, nested ones after those around them.
const islands = document.querySelectorAll('leptos-island');
const wake = async () => {
  const parts = await program();
  for (const element of islands) parts[element.dataset.component]?.(element);
  document.documentElement.dataset.awake = '';
};
if (islands.length) 'requestIdleCallback' in window ? requestIdleCallback(wake, { timeout: 500 }) : setTimeout(wake);

// The palette's field is a form that leads to the search page, so it can be typed into at once and works whatever
// becomes of the program. What stands below it is the program's.
let dialog, filled;
export const search = () => {
  if (!dialog) {
    // Every page has the sprite in its frame.
    const icons = document.querySelector('use').getAttribute('href').split('#')[0];
    dialog = document.createElement('dialog');
    dialog.id = 'palette';
    dialog.className = 'dialog palette';
    dialog.setAttribute('aria-label', 'Search');
    dialog.setAttribute('closedby', 'any');
    dialog.innerHTML = `<form action="/search">
      <svg class="icon" width="18" height="18" viewBox="0 0 20 20" aria-hidden="true"><use href="${icons}#search"/></svg>
      <input id="palette-query" name="q" type="text" role="combobox" aria-label="Search this site"
        aria-expanded="false" aria-controls="palette-list" aria-autocomplete="list" placeholder="Search"
        maxlength="200" autocomplete="off" autocapitalize="off" spellcheck="false" enterkeyhint="search">
      <button class="kbd" type="button" data-close aria-label="Esc: close the search">Esc</button>
      </form>
      <div class="segment quiet" id="palette-kinds" role="group" aria-label="Kinds of results"></div>
      <div class="palette-said"><p class="visually-hidden" id="palette-said" role="status"></p><div id="palette-beside"></div></div>
      <div class="palette-list" id="palette-list" role="listbox" aria-label="Results"></div>
      <p class="palette-keys" aria-hidden="true"><kbd class="kbd">↑</kbd><kbd class="kbd">↓</kbd>move
      <kbd class="kbd">Enter</kbd>open <kbd class="kbd">Ctrl Enter</kbd>new tab <kbd class="kbd">Esc</kbd>close</p>`;
    document.body.append(dialog);
    document.documentElement.dataset.icons ??= icons;
  }
  if (!dialog.open) dialog.showModal();
  dialog.querySelector('input').select();
  filled ??= program().then((parts) => parts.search_palette(), () => { filled = undefined; });
};
