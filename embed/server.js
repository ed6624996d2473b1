// For your server alone: the key must never reach a page.

/** Ask Goldsmith for a token of the person who is signed in. */
export async function askForToken({ address, key, ...wanted }) {
  const answer = await fetch(`${address.replace(/\/$/, "")}/v1/embed/tokens`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify(wanted),
    cache: "no-store",
  });
  const said = await answer.json();
  if (!answer.ok) throw new Error(`${said.title}: ${said.detail} ${said.hint}`);
  return said;
}
