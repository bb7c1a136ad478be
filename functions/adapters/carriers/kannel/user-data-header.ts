import { createHash } from "node:crypto";
import type { InboundMessage } from "../../../core/carrier.ts";

/** Concatenation with a reference of 8 bits, and of 16 (3GPP TS 23.040, 9.2.3.24.1 and .8). */
const CONCATENATION = 0x00;
const CONCATENATION_16_BIT = 0x08;

/** The most SMS that a phone puts together. */
export const MAX_SEGMENTS = 255;

/**
 * The header of one SMS of several, in hex.
 * @param of what all of them have in common; the reference is made from it
 * @param order 1 for the first
 */
export function concatenationHeader(of: string, order: number, total: number): string {
  const [reference = 0] = createHash("sha256").update(of).digest();
  return Buffer.from([5, CONCATENATION, 3, reference, total, order]).toString("hex");
}

/**
 * What a header says of the place of an SMS among others; undefined where it says nothing of it,
 * or what cannot be. Such an SMS is read as one by itself.
 */
export function readConcatenation(header: Uint8Array): InboundMessage["part"] {
  const elements = header.subarray(1, 1 + (header[0] ?? 0));
  for (let at = 0; at + 1 < elements.length; ) {
    const [identifier = 0, length = 0] = elements.subarray(at, at + 2);
    const data = elements.subarray(at + 2, at + 2 + length);
    const part = readElement(identifier, data);
    if (part && data.length === length) return part;
    at += 2 + length;
  }
  return undefined;
}

function readElement(identifier: number, data: Uint8Array): InboundMessage["part"] {
  const referenceBytes = referenceLength(identifier, data.length);
  if (referenceBytes === undefined) return undefined;
  const reference = data.subarray(0, referenceBytes).reduce((sum, byte) => sum * 256 + byte, 0);
  const [total = 0, order = 0] = data.subarray(referenceBytes);
  return total >= 2 && order >= 1 && order <= total ? { reference, order, total } : undefined;
}

function referenceLength(identifier: number, length: number): number | undefined {
  if (identifier === CONCATENATION && length === 3) return 1;
  if (identifier === CONCATENATION_16_BIT && length === 4) return 2;
  return undefined;
}
