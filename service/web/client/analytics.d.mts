// Types of the hourledger browser client: the ES module, and the global `hourledger` of the classic script.

export interface EventFields {
  tool_name?: string;
  action?: string;
  /** Anything JSON has, up to 16 KiB; what is more is left out, and so are names that begin with `$`: the service sets those. */
  properties?: Record<string, unknown>;
  user_id?: string;
  demo_mode?: boolean;
}

export interface Options {
  /** Where events go; batches go to `${endpoint}/batch`. Default: `e` beside the script. */
  endpoint?: string;
  writeKey?: string;
  /**
   * What is recorded without a call: words of `views leave links downloads forms`, or true for `views`. Elements with
   * `data-hl-event` are heard with any of them. Default: false.
   */
  auto?: boolean | string;
  /** The path of a view goes on with the address's fragment: for apps whose pages are `/#/orders`. Default: false. */
  hash?: boolean;
  /** This page was not found: send `page_not_found`, with any `auto`. Default: false. */
  404?: boolean;
  /** "local": know a visitor without a user again, by a random id in this browser's storage. Default: "". */
  visitor?: "" | "local";
  /** What `demo_mode` is when an event does not say. Default: false. */
  demo?: boolean;
  /** false: events stay in this browser. Default: true. */
  sendToBackend?: boolean;
  /** Record nothing where Do Not Track or Global Privacy Control is on. Default: true. */
  respectPrivacy?: boolean;
  /** The part of the sessions that is recorded, from 0 to 1. Default: 1. */
  sampleRate?: number;
  /** Log events and errors to the console. Default: on this machine's own names only. */
  debug?: boolean;
  /**
   * Told what was dropped, and why: a code of the service, `overflow` or `failed`. Also told the parts of an event that were
   * `mended`, and that this page's origin is not allowed (`refused_origin`); both drop nothing.
   */
  onError?: ((reason: string, detail: unknown) => void) | null;
}

export interface Stats {
  queued: number;
  sent: number;
  dropped: number;
  reasons: Record<string, number>;
}

export declare function init(options?: Options): void;
/** Record an event; gives its id, or null when it is not recorded, or not before the visitor opens a prerendered page. Never throws. */
export declare function track(eventType: string, fields?: EventFields): string | null;
export declare function trackToolUsage(tool: string, action?: string, properties?: Record<string, unknown>): string | null;
export declare function trackRiskModeChange(mode: string, previous?: string): string | null;
export declare function trackFeatureInteraction(feature: string, action?: string, properties?: Record<string, unknown>): string | null;
/** Who the user is, from now on and in later visits, until `reset`. */
export declare function identify(userId: string): void;
/** Forget the user and the visitor's id, and begin a new session. */
export declare function reset(): void;
/** Send what waits, now. */
export declare function flush(): Promise<void>;
/** The last 1,000 events of a day, fewer when they are large, as the JSON that `make import` reads. */
export declare function exportEvents(): string;
export declare function stats(): Stats;

declare const client: {
  init: typeof init; track: typeof track; trackToolUsage: typeof trackToolUsage;
  trackRiskModeChange: typeof trackRiskModeChange; trackFeatureInteraction: typeof trackFeatureInteraction;
  identify: typeof identify; reset: typeof reset; flush: typeof flush; exportEvents: typeof exportEvents; stats: typeof stats;
};
export default client;

declare global {
  // eslint-disable-next-line no-var
  var hourledger: typeof client;
}
