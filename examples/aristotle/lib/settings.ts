// Everything that is set from outside, read where it is needed, so that a build needs none of it. Only the server has it.

function setting(name: string, usual?: string): string {
  const found = process.env[name] ?? usual;
  if (found === undefined) throw new Error(`${name} is not set. Start this application with: make aristotle`);
  return found;
}

/** Where Goldsmith is, as this server and the person's browser reach it. */
export const addressOfGoldsmith = () => setting("ADDRESS_OF_GOLDSMITH", "http://127.0.0.1:8001");

/** Goldsmith's key for this server. It never stands in a page. */
export const keyOfGoldsmith = () => setting("KEY_OF_GOLDSMITH");

/** Aristotle's own database. */
export const databaseUrl = () => setting("ARISTOTLE_DATABASE_URL");

/** Which of the three generations the database is of. */
export const generation = () => setting("ARISTOTLE_GENERATION", "V2");

/** Who is signed in. An application has its own sign-in; this one has a single person. */
export function currentUser() {
  return {
    philosopher: setting("ARISTOTLE_PHILOSOPHER", "ada@acme.example"),
    domain: setting("ARISTOTLE_DOMAIN", "acme.example"),
  };
}
