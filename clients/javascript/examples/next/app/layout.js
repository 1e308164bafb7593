import Link from "next/link";
import { Hourledger } from "hourledger/react";

export const metadata = { title: "Shop" };

export default function Layout({ children }) {
  return (
    <html lang="en">
      <body>
        <Hourledger endpoint={process.env.NEXT_PUBLIC_HOURLEDGER} auto />
        <nav><Link href="/">Shop</Link> <Link href="/cart">Cart</Link></nav>
        {children}
      </body>
    </html>
  );
}
