// The part of React that the snippets use. As in StrictMode, effects run twice when a component is mounted, and refs are
// kept. React itself would be a large dependency for one hook; the snippets were tried with it by hand.
let slots = [];
let at = 0;
let due = [];

export function useRef(value) {
  slots[at] ??= { current: value };
  return slots[at++];
}

export function useEffect(effect, needs) {
  const former = slots[at];
  slots[at++] = needs;
  if (!former || needs.some((value, index) => !Object.is(value, former[index]))) due.push(effect);
}

/** Mount a component; return what renders it again. */
export function mount(component) {
  const render = () => {
    [at, due] = [0, []];
    component();
    return due;
  };
  slots = [];
  const effects = render();
  for (const effect of [...effects, ...effects]) effect();
  return () => render().forEach((effect) => effect());
}
