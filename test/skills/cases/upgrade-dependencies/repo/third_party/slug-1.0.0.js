/** A text as part of an address. */
export const slug = (text) => text.toLowerCase().replace(/[^a-z0-9]+/g, "-");
