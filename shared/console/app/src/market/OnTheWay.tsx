// What was sent and may still take effect, how far it is, and what became of it: so nobody sends it again.
import { capital, group } from "../lib/format";
import { link } from "../lib/route";
import { Hash } from "../ui/Hash";
import { change, isAttended, type Kind, type Sent, sent } from "../wallet/journal";
import { news } from "../wallet/settle";
import { type Stage, stages } from "../wallet/transactions";
import { now } from "../lib/now";

/** From then on whoever has looked into his wallet may say that it was never sent. */
const PATIENCE_MS = 30_000;

export function OnTheWay({ kinds }: { kinds: readonly Kind[] }) {
  const open = sent.value.filter((each) => kinds.includes(each.kind) && !each.isGivenUp && isShown(each));
  const ended = news.value.filter((each) => kinds.includes(each.kind));
  return (
    <div role="status" class="on-the-way">
      <ul aria-label="On its way">
        {open.map((each) => {
          const stage = stages.value.get(each.id);
          const isLong = now.value - each.at > PATIENCE_MS && !isAttended(each);
          return (
            <li key={each.id}>
              {capital(each.text)} {tellStage(each, stage)} {each.hash && <Hash text={each.hash} />}
              {isLong && isTransaction(each) && stage?.name !== "queued" && (
                <button type="button" class="quiet-button" onClick={() => change(each.id, { isGivenUp: true })}>
                  My wallet shows that it was not sent
                </button>
              )}
            </li>
          );
        })}
        {ended.map((each) => (
          <li key={each.text} class={each.isBad ? "bad" : ""}>
            {capital(each.text)}
            {each.message !== undefined && (
              <>
                : <a href={link("message", each.message)}>L1 message {group(each.message)}</a>
              </>
            )}
            .
          </li>
        ))}
      </ul>
    </div>
  );
}

function isTransaction({ kind }: Sent): boolean {
  return kind === "deposit" || kind === "force";
}

/** A record that is still waited for is told of where it is sent. */
function isShown(entry: Sent): boolean {
  return isTransaction(entry) || !isAttended(entry);
}

function tellStage(entry: Sent, stage: Stage | undefined): string {
  if (!isTransaction(entry))
    return (
      "was sent, and no answer came: it may have been taken (pending). What you send next takes its place, so only " +
      "one of the two can count."
    );
  if (isAttended(entry) && !entry.hash) return "waits for your wallet.";
  switch (stage?.name) {
    case "queued":
      return (
        `is in block ${group(stage.block)} of L1, as message ${group(stage.message)}: it counts as soon as the ` +
        "exchange takes that. Do not send it again."
      );
    case "handed":
      return (
        "was handed to your wallet, and no answer came: it may have been sent (pending). Look at your wallet before " +
        "you send another; L1 is being looked at here."
      );
    case "sent":
      return "was sent, and no block of L1 has it yet. It may still take effect (pending): do not send it again.";
    default:
      return "was sent: looking for it on L1…";
  }
}
