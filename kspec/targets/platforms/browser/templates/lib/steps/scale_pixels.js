// @ts-check

/** @import { Grid } from "../steps.js" */

/**
 * Multiply by maximum / 255, which is computed first.
 *
 * @param {Grid} given
 * @param {{ maximum: number }} step
 * @returns {Grid}
 */
export function scalePixels(given, { maximum }) {
  const factor = maximum / 255;
  return { ...given, line: (row) => given.line(row).map((value) => value * factor) };
}
