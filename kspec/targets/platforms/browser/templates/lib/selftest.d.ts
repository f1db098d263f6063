import type { LoadOptions, Verdict } from "./types.js";

/** Compare the client's answers with the golden rows. Never rejects. */
export function selftest(baseUrl?: string | URL, options?: LoadOptions): Promise<Verdict>;

/** The line `KSPEC-SELFTEST {…}`. */
export function spell(verdict: Verdict): string;
