import type { Permission } from "./elements.js";

/** For whom a page shall ask, and what it may do. */
export interface TokenWish {
  /** Where Goldsmith is, for example `http://127.0.0.1:8001`. */
  address: string;
  /** A key of Goldsmith's (`goldsmith keys add`). It stays on your server. */
  key: string;
  /** The person who is signed in, by e-mail. Take it from your own session, never from the page. */
  philosopher: string;
  /** Their organisation, by domain name. */
  domain: string;
  /** What the page may do beside looking; default: nothing. */
  may?: Permission[];
  /** How long the token is good: 10, at most 60. */
  minutes?: number;
}

export interface Token {
  token: string;
  philosopher: string;
  domain: string;
  may: Permission[];
  expires_at: string;
}

/** Ask Goldsmith for a token of the person who is signed in. Rejects with Goldsmith's own words. */
export function askForToken(wish: TokenWish): Promise<Token>;
