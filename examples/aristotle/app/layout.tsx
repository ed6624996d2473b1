import type { Metadata } from "next";
import type { ReactNode } from "react";
import { currentUser } from "../lib/settings";
import { Goldsmith } from "./goldsmith";
import { addressOfGoldsmith } from "../lib/settings";
import { Menu } from "./menu";
import "./globals.css";

export const metadata: Metadata = { title: { template: "%s · Aristotle", default: "Aristotle" } };
export const dynamic = "force-dynamic";

export default function Layout({ children }: { children: ReactNode }) {
  const { philosopher } = currentUser();
  return (
    <html lang="en">
      <body>
        <header className="top">
          <strong>Aristotle</strong>
          <Menu />
          <span className="who">{philosopher}</span>
        </header>
        <main>
          <Goldsmith address={addressOfGoldsmith()}>{children}</Goldsmith>
        </main>
      </body>
    </html>
  );
}
