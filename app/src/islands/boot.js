// Wakes the islands of a page: fetches the program when the browser is idle, then gives each island its element.
// Islands stand in the page as <leptos-island data-component="name">, nested ones after those around them.
const wake = async () => {
  const program = await import('__APP_JS__');
  await program.default({ module_or_path: '__APP_WASM__' });
  program.hydrate();
  for (const element of document.querySelectorAll('leptos-island')) {
    program[element.dataset.component]?.(element);
  }
  document.documentElement.dataset.awake = '';
};
'requestIdleCallback' in window ? requestIdleCallback(wake, { timeout: 500 }) : setTimeout(wake);
