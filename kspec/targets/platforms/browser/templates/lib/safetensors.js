// @ts-check

/** @import { Batch } from "./types.js" */

/** @typedef {{ dtype: string, shape: number[], data_offsets: [number, number] }} Entry */

/** @type {Record<string, Float32ArrayConstructor | Int32ArrayConstructor | Uint8ArrayConstructor>} */
const ARRAYS = { F32: Float32Array, I32: Int32Array, U8: Uint8Array };

/**
 * The tensors of a safetensors file: eight bytes of length, a JSON header, then the arrays.
 *
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @returns {Map<string, { data: Float32Array | Int32Array | Uint8Array, shape: number[] }>}
 */
export function readSafetensors(bytes) {
  const begin = 8 + Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  /** @type {Record<string, Entry>} */
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, begin)));
  const entries = Object.entries(header).filter(([name]) => name !== "__metadata__");
  return new Map(
    entries.map(
      ([
        name,
        {
          dtype,
          shape,
          data_offsets: [from, to],
        },
      ]) => {
        // The copy is aligned for its type.
        const { buffer } = bytes.slice(begin + from, begin + to);
        return [name, { data: new ARRAYS[dtype](buffer), shape }];
      },
    ),
  );
}
