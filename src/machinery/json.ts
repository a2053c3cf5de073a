// JSON values as plain data: the only shape an API object has between the socket and the disk.

/**
 * A `bigint` is an integer of 64 bits that a number cannot hold, and never one that it can: what is equal is the same
 * value of the same type. A number beyond 2^53 is a float64, as in Go. Texts become values and values texts in
 * jsontext.ts, since JSON.parse would round these integers, and JSON.stringify throws at them.
 */
export type Json = string | number | bigint | boolean | null | Json[] | JsonObject
export interface JsonObject {
  [key: string]: Json | undefined
}

/** True for a JSON object: neither null, nor an array, nor a scalar. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
