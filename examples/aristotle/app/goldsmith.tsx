"use client";
import { GoldsmithProvider } from "goldsmith-embed/react";
import { type ReactNode, useState } from "react";

async function getToken(): Promise<string> {
  const answer = await fetch("/goldsmith-token", { method: "POST" });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.error);
  return said.token;
}

/** Loads Goldsmith's parts once for all pages, and says so where they do not come. */
export function Goldsmith({ address, children }: { address: string; children: ReactNode }) {
  const [isMissing, setIsMissing] = useState(false);
  const miss = (error: unknown) => {
    console.error(error);
    setIsMissing(true);
  };
  return (
    <GoldsmithProvider address={address} getToken={getToken} onError={miss}>
      {isMissing && (
        <p role="alert" className="alert">
          Goldsmith does not answer at {address}, so its parts are not shown. Start it, then reload this page.
        </p>
      )}
      {children}
    </GoldsmithProvider>
  );
}
