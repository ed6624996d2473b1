// The elements themselves come from your Goldsmith, so that they always fit it; this only fetches them.

const loaded = new Map();

/** Load the six elements from where Goldsmith is, once a page. */
export function load(address) {
  const home = address.replace(/\/$/, "");
  if (!loaded.has(home)) {
    const from = `${home}/static/embed/elements.js`;
    const found = import(/* webpackIgnore: true */ /* turbopackIgnore: true */ /* @vite-ignore */ from);
    found.catch(() => loaded.delete(home)); // so that the next one tries again
    loaded.set(home, found);
  }
  return loaded.get(home);
}
