// Moves of a match (section 11): the first difference of two openings, shown with both nodes in one list of siblings.
import { equal } from "../codec/bytes.js";
import { Revert } from "../errors.js";
import { node } from "../hash/keccak.js";
import { foldOpening, type History, LEVELS } from "./history.js";

export interface Match {
  /** The nodes of the two histories at this level and prefix. */
  readonly mover: Uint8Array;
  readonly opponent: Uint8Array;
  readonly level: number;
  readonly prefix: number;
}

export interface Move {
  readonly index: number;
  readonly children: readonly Uint8Array[];
  readonly theirChild: Uint8Array;
  readonly common: readonly Uint8Array[];
  readonly mine: readonly Uint8Array[];
  readonly theirs: readonly Uint8Array[];
}

/** The five siblings of child i under the node above an opening, from below. */
function siblingsIn(opening: readonly Uint8Array[], i: number): Uint8Array[] {
  const siblings: Uint8Array[] = [];
  let level = [...opening];
  let at = i;
  while (level.length > 1) {
    const sibling = level[at ^ 1];
    if (sibling === undefined) throw new Error("an opening has 32 nodes");
    siblings.push(sibling);
    const above: Uint8Array[] = [];
    for (let k = 0; k + 1 < level.length; k += 2) {
      const [left, right] = [level[k], level[k + 1]];
      if (left !== undefined && right !== undefined) above.push(node(left, right));
    }
    level = above;
    at >>= 1;
  }
  return siblings;
}

/** The one valid move, from one's own history and the opponent's opening (in its event). */
export function makeMove(
  history: History, level: number, prefix: number, theirOpening: readonly Uint8Array[],
): Move {
  const own = history.opening(level, prefix);
  const index = own.findIndex((child, i) => !equal(child, theirOpening[i] ?? child));
  if (index < 0) throw new Revert("children_equal");
  const theirChild = theirOpening[index];
  const ownChild = own[index];
  if (theirChild === undefined || ownChild === undefined) throw new Revert("child_index");
  const mineAll = siblingsIn(own, index);
  const theirsAll = siblingsIn(theirOpening, index);
  const left = (h: number): boolean => ((index >> h) & 1) === 1;
  return {
    index,
    children: level === LEVELS - 1 ? [ownChild] : history.opening(level + 1, 32 * prefix + index),
    theirChild,
    common: mineAll.filter((_, h) => left(h)),
    mine: mineAll.filter((_, h) => !left(h)),
    theirs: theirsAll.filter((_, h) => !left(h)),
  };
}

/** What the court does with a move: both children folded up, compared with both nodes; the match one level down. */
export function applyMove(match: Match, move: Move): Match {
  const { level, prefix } = match;
  if (level >= LEVELS) throw new Revert("match_sealed");
  if (move.index < 0 || move.index > 31) throw new Revert("child_index");
  const lengthNeeded = level === LEVELS - 1 ? 1 : 32;
  if (move.children.length !== lengthNeeded) throw new Revert("children_length");
  const child = foldOpening(move.children);
  if (equal(child, move.theirChild)) throw new Revert("children_equal");
  let own = child;
  let their = move.theirChild;
  let common = 0;
  let apart = 0;
  for (let h = 0; h < 5; h++) {
    if ((move.index >> h) & 1) {
      const sibling = move.common[common++];
      if (sibling === undefined) throw new Revert("wrong_opening");
      own = node(sibling, own);
      their = node(sibling, their);
    } else {
      const [mine, theirs] = [move.mine[apart], move.theirs[apart]];
      apart++;
      if (mine === undefined || theirs === undefined) throw new Revert("wrong_opening");
      own = node(own, mine);
      their = node(their, theirs);
    }
  }
  const used = common === move.common.length && apart === move.mine.length && apart === move.theirs.length;
  if (!used || !equal(own, match.mover) || !equal(their, match.opponent)) throw new Revert("wrong_opening");
  // The other side is on turn.
  return { mover: move.theirChild, opponent: child, level: level + 1, prefix: 32 * prefix + move.index };
}
