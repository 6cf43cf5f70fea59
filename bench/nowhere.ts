// A transport that takes every message and sends none: what remains is the exporting process itself.

import type { Destination } from "../src/ipfix/index.ts";

export const NOWHERE: Destination = {
  name: "nowhere",
  retry: { first: 1000, most: 1000 },
  connect: async () => ({
    headerLength: 28,
    pathMtu: () => undefined,
    reliable: false,
    ended: new Promise(() => {}),
    send: (_buffer, _offset, length) => length,
    writable: async () => {},
    close: () => {},
  }),
};
