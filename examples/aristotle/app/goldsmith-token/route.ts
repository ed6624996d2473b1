// The page's own server asks Goldsmith for its token: the key stays here.
import { tokenForPage } from "../../lib/goldsmith";

export async function POST(request: Request): Promise<Response> {
  const origin = request.headers.get("origin");
  if (origin === null || new URL(origin).host !== request.headers.get("host")) {
    return Response.json({ error: "A page of another site asked." }, { status: 403 });
  }
  try {
    return Response.json(await tokenForPage());
  } catch (error) {
    console.error(error);
    return Response.json({ error: "Goldsmith gave no token." }, { status: 502 });
  }
}
