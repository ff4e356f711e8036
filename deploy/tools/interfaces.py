"""The page of the contracts' calls and events, `contracts/INTERFACES.md`: from the ABIs that are kept, and from what
the sources say of each function. `python -m setoff.deploy.tools.interfaces` compares, `--fix` writes.

`deploy/run check` calls this.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any, Final

from setoff.contracts.compiler import ROOT, source_files
from setoff.shared.l1.abi import INTERFACES, load_interface

PAGE: Final = ROOT / "INTERFACES.md"

HEAD: Final = """\
# The contracts' interfaces

Every call, view and event of the contracts on L1, made from their ABIs (`shared/l1/interfaces/*.json`, which the
package brings along) and from the comments in the sources; `deploy/run check` holds it against both. What a call
does to a claim, a batch or a balance stands in the protocol (`shared/PROTOCOL.md`: sections 10, 12, 13, 15 and 16),
with what it costs in section 14. Types and selectors are those of the Solidity ABI; a tuple is written with the
names of its fields. A call that is *payable* takes wei. Whatever fails reverts with one of the reasons of section
17.

**Where they are.** The deployment's file, which `setoff deploy` writes and the operator publishes, has the
addresses. One is enough: from the court, `INBOX()` and `JUDGE()`; from the inbox, `QUEUE()`, `OPERATOR()` and the
data modules `module_at(1)` … `module_at(module_count())`; from the queue, `VAULT()` and `LISTER()`; from the vault,
`TOKEN()` and `COURT()`, which has to be the court that one began with; from the judge the contracts that hold the
rules. None of them can be changed. The receipts' contract is named by the file alone: its `INBOX()` and
`OPERATOR()` have to be these. Whoever stakes compares the code at these addresses with what this repository
compiles to; the compiler's version is pinned.
"""

OF: Final = {
    "court": "Claims, histories, matches, bonds, stakes, and which machine hashes are confirmed. Protocol, section 13.",
    "inbox": "Takes batches. Protocol, section 10.",
    "queue": "Takes messages, and the lister's proposals. Protocol, section 10.",
    "vault": "Holds the collateral. Protocol, section 15.",
    "judge": "Executes one step. Protocol, section 12.",
    "receipts": "The operator's bond for its receipts. Protocol, section 16.",
    "token": "The test token: any ERC-20 that moves what it is told to can be in its place.",
}

PLAIN: Final = {
    "court": {
        "claim_of": "A claim by its key, all zero where there is none; the fields are those of `claims.vy`.",
        "stood_at": "Epoch and end: when the earliest claim came under which somebody stands for it; zero: nobody.",
        "slices": "Key and root: wei that an eliminated history still owes to the movers of the winner's side.",
        "stake_count": "Stakes made; it is the last one's id.",
        "MOVE_GAS": "Gas that a move is credited at most.",
        "TIMEOUT_GAS": "Gas that a timeout is credited at most.",
        "PROVE_GAS": "Gas that a proof is credited at most.",
        "INBOX": "Its inbox.",
        "JUDGE": "Its judge.",
    },
    "inbox": {
        "QUEUE": "Its queue.",
        "OPERATOR": "Who may always post.",
        "count": "Batches posted.",
        "batch_hash": "Of a batch, by number; zero where there is none yet.",
        "messages_consumed": "Messages in all batches.",
        "records_posted": "Records in all batches.",
    },
    "queue": {
        "VAULT": "Whose deposits it takes.",
        "INBOX": "The inbox that consumes it.",
        "LISTER": "Who may propose.",
        "count": "Messages queued.",
        "queue_hash": "The hash before a message, by its index, up to `count`.",
        "queued_at": "The stamp of a message, by its index: unix seconds.",
        "is_winding_down": "Whether the exchange ends.",
        "proposal_count": "Proposals made.",
    },
    "vault": {
        "TOKEN": "The collateral.",
        "QUEUE": "Where it queues deposits.",
        "COURT": "Whose confirmed machine hashes it pays by.",
        "LEAST_DEPOSIT": "Token units that a deposit brings at least.",
        "account_count": "Accounts numbered so far; the first is 1.",
    },
    "judge": {
        "INBOX": "Where it reads batches and records.",
        "QUEUE": "Where it reads queue hashes.",
        **dict.fromkeys(
            [
                "FETCH",
                "MESSAGES",
                "ORDERS",
                "MARGIN",
                "MATCHING",
                "BOOK",
                "PAYMENTS",
                "ORACLE",
                "LIQUIDATION",
                "BACKSTOP",
                "WORK",
                "AUCTION",
            ],
            "The contract that judges the phases of this name (section 12).",
        ),
    },
    "receipts": {"INBOX": "Whose batches receipts promise.", "OPERATOR": "Whose receipts they are."},
    "token": {
        "name": "ERC-20.",
        "symbol": "ERC-20.",
        "decimals": "ERC-20: 6.",
        "totalSupply": "ERC-20.",
        "balanceOf": "ERC-20.",
        "allowance": "ERC-20.",
    },
}
"""Variables that can be read, and whose names say all in the sources."""


def find_texts(name: str) -> dict[str, str]:
    """What a contract's sources say of its functions and public variables, by name: what they do, or return."""
    texts = dict(PLAIN[name])
    for path in source_files((ROOT / f"{name}.vy").resolve()):
        source = path.read_text()
        for function, doc in re.findall(
            r'^def (\w+)\((?:[^()]|\([^()]*\))*\)[^\n]*:\n    """\n(.*?)\n    """', source, re.M | re.S
        ):
            notice = " ".join(
                re.sub(r"\s+", " ", part) for part in re.findall(r"@(?:notice|dev) (.*?)(?=@|\Z)", doc, re.S)
            )
            returned = re.search(r"@return (.*?)(?=@|\Z)", doc, re.S)
            words = notice.strip() or ("Returns: " + " ".join(returned[1].split()) if returned else "")
            texts.setdefault(function, words)
        for variable, comment in re.findall(r"^(\w+): public\(.*?\)(?: = [\w_]+)? *# (.*)$", source, re.M):
            texts.setdefault(variable, comment[0].upper() + comment[1:])
    return texts


def load_entries(name: str) -> list[dict[str, Any]]:
    """A contract's ABI as it is kept."""
    entries: list[dict[str, Any]] = json.loads((INTERFACES / f"{name}.json").read_text())
    return entries


def write_function(entry: dict[str, Any]) -> str:
    """A function for people: its arguments and what it returns, with their names."""
    shown = f"{entry['name']}({', '.join(_show(each) for each in entry['inputs'])})"
    return shown + (" → " + ", ".join(_show(each) for each in entry["outputs"]) if entry["outputs"] else "")


def _show(field: dict[str, Any], mark: str = "") -> str:
    kind = field["type"]
    if kind.startswith("tuple"):
        kind = f"({', '.join(_show(part) for part in field['components'])}){kind.removeprefix('tuple')}"
    return f"{kind} {mark}{field['name']}".strip()


def write_page() -> str:
    """The whole page."""
    return HEAD + "".join(_write_contract(name) for name in OF)


def _write_contract(name: str) -> str:
    entries, interface, texts = load_entries(name), load_interface(name), find_texts(name)
    lines = [f"\n## {name.capitalize()}\n", OF[name] + "\n"]
    for title, kinds in (("call", ("payable", "nonpayable")), ("view", ("view", "pure"))):
        chosen = [each for each in entries if each["type"] == "function" and each["stateMutability"] in kinds]
        if chosen:
            lines += [f"| selector | {title} | what it is |", "|---|---|---|"]
        for entry in sorted(chosen, key=lambda each: str(each["name"])):
            selector = interface.functions[entry["name"]].selector.hex()
            payable = ["*Payable.*"] if entry["stateMutability"] == "payable" else []
            words = " ".join([*payable, texts[entry["name"]]])
            lines.append(f"| `0x{selector}` | `{write_function(entry)}` | {words} |")
        lines.append("")
    events = [entry for entry in entries if entry["type"] == "event"]
    if events:
        lines += ["| topic | event |", "|---|---|"]
    for entry in events:
        fields = ", ".join(_show(each, "indexed " if each["indexed"] else "") for each in entry["inputs"])
        lines.append(f"| `0x{interface.events[entry['name']].topic.hex()}` | `{entry['name']}({fields})` |")
    return "\n".join(lines).rstrip() + "\n"


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["--fix"]):
        print("usage: python -m setoff.deploy.tools.interfaces [--fix]", file=sys.stderr)
        return 2
    page = write_page()
    if PAGE.is_file() and PAGE.read_text() == page:
        return 0
    if arguments:
        PAGE.write_text(page)
        return 0
    print("contracts/INTERFACES.md is not what the contracts say, run `deploy/run check --fix`")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
