export default function Page() {
  return <button data-hl-event="added" data-hl-price="19.90">Add to cart</button>;
}
