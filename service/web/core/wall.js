// Wall mode (`?wall=1`): the page as a large picture that changes by itself. It loads when it is asked for.

import { style } from "./views.js";

export const isWanted = () => new URLSearchParams(location.search).get("wall") === "1";

// source: {state(), title, range(), needSignIn()}; state() is that of the page or of a share link, range() its words there.
export async function open(source) {
  const [module] = await Promise.all([import("../views/wall.js"), style("wall")]);
  module.open(source);
}
