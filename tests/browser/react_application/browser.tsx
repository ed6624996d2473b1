// The page in a browser. Where Goldsmith is, and its token, stand in the page's address.
import { StrictMode, version } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App";

const given = new URLSearchParams(location.hash.slice(1));
const getToken = async () => given.get("token") ?? "";
document.documentElement.dataset.react = version;
createRoot(document.body.appendChild(document.createElement("div"))).render(
  <StrictMode>
    <App address={given.get("address") ?? ""} getToken={getToken} />
  </StrictMode>,
);
