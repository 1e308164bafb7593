import type { Options } from "./index.mjs";

/** Start the client with these options, once. With `auto` it follows the paths that any router shows. */
export declare function useHourledger(options: Options): void;
/** The same as a component, for a layout. */
export declare function Hourledger(options: Options): null;
/** Count a page under a name of your own, without `auto`. */
export declare function usePageView(name: string, properties?: Record<string, unknown>): void;
