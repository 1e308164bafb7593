"use client";

// Hooks for React. Each of them counts a page once, in StrictMode too.
import { useEffect, useRef } from "react";
import { init, track } from "./index.mjs";

/** Start the client with these options, once. With `auto` it follows the paths that any router shows. */
export function useHourledger(options) {
  const begun = useRef(false);
  useEffect(() => {
    if (begun.current) return;
    begun.current = true;
    init(options);
  }, []);
}

/** The same as a component, for a layout. */
export function Hourledger(options) {
  useHourledger(options);
  return null;
}

/** Count a page under a name of your own, without `auto`. */
export function usePageView(name, properties) {
  const counted = useRef(null);
  useEffect(() => {
    if (counted.current === name) return; // StrictMode runs effects twice
    counted.current = name;
    track("page_viewed", { tool_name: name, properties });
  }, [name]);
}
