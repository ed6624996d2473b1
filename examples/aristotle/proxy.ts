// Before every page: only this machine's own names are answered, and a page may load from here and from Goldsmith alone.
import { type NextRequest, NextResponse } from "next/server";
import { addressOfGoldsmith } from "./lib/settings";

const OWN_NAMES = ["localhost", "127.0.0.1", "[::1]"];

export function proxy(request: NextRequest): NextResponse {
  const host = request.headers.get("host") ?? "";
  if (!OWN_NAMES.includes(host.replace(/:\d+$/, ""))) {
    return new NextResponse("This application is not offered under that name.", { status: 403 });
  }
  const nonce = btoa(crypto.randomUUID());
  const goldsmith = new URL(addressOfGoldsmith()).origin;
  const policy = [
    "default-src 'none'",
    `script-src 'self' 'nonce-${nonce}' ${goldsmith}`,
    `connect-src 'self' ${goldsmith}`,
    "style-src 'self'",
    "img-src 'self' data:",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join("; ");
  const headers = new Headers(request.headers);
  headers.set("content-security-policy", policy); // from here Next takes the nonce for its own scripts
  const answer = NextResponse.next({ request: { headers } });
  answer.headers.set("content-security-policy", policy);
  answer.headers.set("x-content-type-options", "nosniff");
  answer.headers.set("referrer-policy", "same-origin");
  return answer;
}

export const config = { matcher: "/((?!_next/static/).*)" };
