// An account that holds something: the backstop vault is one, too, and has a place of its own on the page.
import { link } from "../lib/route";

const BACKSTOP = 0;

export function AccountName({ account }: { account: number }) {
  return account === BACKSTOP ? <>the backstop</> : <a href={link("account", account)}>{account}</a>;
}
