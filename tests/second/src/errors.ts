// What a contract would revert with. The reason strings are those of section 17.
export class Revert extends Error {
  readonly reason: string;
  constructor(reason: string, detail = "") {
    super(detail === "" ? reason : `${reason}: ${detail}`);
    this.reason = reason;
  }
}
