export const metadata = { title: "Cart" };

export default function Page() {
  return <p>Your cart</p>;
}
