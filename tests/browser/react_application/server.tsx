// Prints what the server sends of the page, before any script runs.
import { renderToString } from "react-dom/server";
import { App } from "./App";

console.log(renderToString(<App address="http://127.0.0.1:1" getToken={async () => "gse_secret"} />));
