import type { LoadOptions, Verdict } from "./types.js";

/** Prove the model against its golden rows, through the client itself. Never rejects. */
export function selftest(baseUrl?: string | URL, options?: LoadOptions): Promise<Verdict>;

/** The line `KSPEC-SELFTEST {…}`. */
export function spell(verdict: Verdict): string;
