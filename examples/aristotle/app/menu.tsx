"use client";
import Link from "next/link";
import { usePathname } from "next/navigation";

const PAGES = { "/conquests": "Conquests", "/fine-tuning": "Fine-tuning" };

export function Menu() {
  const here = usePathname();
  return (
    <nav aria-label="Pages">
      {Object.entries(PAGES).map(([path, name]) => (
        <Link key={path} href={path} aria-current={here === path ? "page" : undefined}>
          {name}
        </Link>
      ))}
    </nav>
  );
}
