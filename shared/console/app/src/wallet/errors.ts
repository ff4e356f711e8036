// What sending ends with, by what is known of it afterwards.
import { Refused } from "../api/http";

/** It was never sent: it may be tried again. */
export class NotSent extends Error {}

/** It was sent, as far as anybody knows, and may still take effect: it must not be sent again. */
export class Pending extends Refused {
  constructor(detail: string) {
    super({ reason: "pending", detail }, 0);
  }
}
