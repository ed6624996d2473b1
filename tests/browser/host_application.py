"""Another application, on a port of its own: one page with all of Goldsmith's parts, and a server that asks for tokens.

It is what the how-to describes: the server alone holds the key, and says who is signed in; the page holds a token.
"""

import json
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from string import Template

PAGE = Template("""<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width">
  <title>Conquests</title>
  <meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'self' $goldsmith; img-src data:;
    style-src 'self'; connect-src 'self' $goldsmith">
  <link rel="icon" href="data:,">
  <link rel="stylesheet" href="/page.css">
  <script type="module" src="$goldsmith/static/embed/elements.js"></script>
  <script type="module" src="/page.js"></script>
</head>
<body>
  <main>
    <h1>Fine-tuning</h1>
    <div class="cards">
      <goldsmith-dataset-export></goldsmith-dataset-export>
      <goldsmith-training-job></goldsmith-training-job>
      <goldsmith-progress></goldsmith-progress>
      <goldsmith-deployment></goldsmith-deployment>
      <goldsmith-comparison></goldsmith-comparison>
      <form id="conquest">
        <h2>New conquest</h2>
        <goldsmith-model-selector name="modelId" label="Model of the conquest" required></goldsmith-model-selector>
        <button>Run the conquest</button>
        <output></output>
      </form>
    </div>
  </main>
</body>
</html>""")
SCRIPT = """
import { setToken } from "GOLDSMITH/static/embed/elements.js";

window.heard = [];
const getToken = async () => (await (await fetch("/token", { method: "POST" })).json()).token;
for (const name of ["exported", "training-started", "training-changed", "deployed", "undeployed",
                    "comparison-started", "comparison-ended", "model-selected"]) {
  document.addEventListener(`goldsmith-${name}`, (event) => window.heard.push([name, event.detail]));
}
document.addEventListener("goldsmith-token-expiring", async (event) => {
  window.heard.push(["token-expiring", { isOver: event.detail.isOver }]);
  event.detail.renew(await getToken());
});
document.querySelector("#conquest").addEventListener("submit", (event) => {
  event.preventDefault();
  event.target.querySelector("output").textContent = new FormData(event.target).get("modelId");
});
setToken(await getToken());
"""
STYLE = """
:root { color-scheme: light dark; font-family: system-ui, sans-serif; background: light-dark(#faf9f6, #131210);
  color: light-dark(#1d1b17, #eeebe4); }
body { margin: 0; }
main { max-width: 1200px; margin: auto; padding: 16px; }
.cards { display: grid; gap: 16px; align-items: start;
  grid-template-columns: repeat(auto-fit, minmax(min(320px, 100%), 1fr)); }
form { padding: 16px; }
button { min-height: 36px; font: inherit; }
"""


@contextmanager
def running(port: int, *, goldsmith: str, key: Callable[[], str], scope: dict[str, str]) -> Iterator[str]:
    """The application for as long as the block lasts; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            files = {
                "/": ("text/html", PAGE.substitute(goldsmith=goldsmith)),
                "/page.js": ("text/javascript", SCRIPT.replace("GOLDSMITH", goldsmith)),
                "/page.css": ("text/css", STYLE),
            }
            kind, text = files.get(self.path, ("text/plain", ""))
            self._answer(200 if text else 404, kind, text)

        def do_POST(self) -> None:
            body = {**scope, "may": ["export", "train", "deploy", "compare"]}
            headers = {"authorization": f"Bearer {key()}", "content-type": "application/json"}
            asked = urllib.request.Request(f"{goldsmith}/v1/embed/tokens", json.dumps(body).encode(), headers)
            with urllib.request.urlopen(asked, timeout=10) as answer:
                self._answer(200, "application/json", answer.read().decode())

        def _answer(self, status: int, kind: str, text: str) -> None:
            self.send_response(status)
            self.send_header("content-type", f"{kind}; charset=utf-8")
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            """Quietly."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://localhost:{port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
