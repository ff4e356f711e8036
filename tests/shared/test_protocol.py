"""The protocol page says what the code does: its tables are parsed and compared."""

import json
import re
from pathlib import Path

import pytest

import setoff.shared
from setoff.contracts.compiler import compile_contract
from setoff.deploy.tools.rule_labels import strip_labels
from setoff.shared import errors, params
from setoff.shared.codec import eip712, integers, receipts, records
from setoff.shared.codec.layout import Field
from setoff.shared.machine import batch, data
from setoff.shared.rules import agents, fees, nonces, phases
from setoff.shared.rules.wind_down import is_refused
from setoff.shared.state import keys, leaves
from setoff.shared.state.registers import FIELDS, Registers

PAGE = Path(setoff.shared.__file__).parent / "PROTOCOL.md"
TEXT = strip_labels(PAGE.read_text())
RATIONALE = PAGE.with_name("RATIONALE.md").read_text()
VECTORS = Path(__file__).parent.parent / "vectors"


def table(*heading: str) -> list[list[str]]:
    """Rows of the one table with these column titles; code marks are taken off."""
    title = "| " + " | ".join(heading) + " |\n"
    assert TEXT.count(title) == 1, title
    rows = TEXT.split(title)[1].split("\n\n")[0].splitlines()[1:]
    return [[cell.strip().strip("`") for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]


def test_the_glossary_is_in_order_and_each_word_has_one_meaning() -> None:
    """No entry stands twice, and what once had a second meaning is called by its own word: *row*, *forced record* …"""
    terms = [term.lower().removeprefix("to ") for term, _ in table("term", "meaning")]
    assert terms == sorted(set(terms))
    given_up = r"position place|free place|place order|records? of the queue|this page|sealed batch|index of holders"
    assert not re.findall(given_up, " ".join((TEXT + RATIONALE).split()))


def test_outcomes() -> None:
    rows = table("number", "reason", "when")
    assert [(int(number), reason) for number, reason, _ in rows] == list(enumerate(errors.OUTCOMES))


def test_reasons_of_contracts_and_services() -> None:
    section = TEXT.split("**Reverts**")[1]
    contracts, services = section.split("**Services**")
    rows = [dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", part, re.M)) for part in (contracts, services)]
    assert rows[0] == errors.CONTRACT_REASONS
    assert rows[1] == errors.SERVICE_REASONS


def test_registers() -> None:
    rows = table("n", "register", "meaning")
    assert [(int(number), name) for number, name, _ in rows] == list(enumerate(FIELDS))


def test_phases() -> None:
    rows = table("number", "phase", "runs for", "next")
    assert [(int(number), name.lower()) for number, name, *_ in rows] == list(enumerate(phases.NAMES))
    assert all(getattr(phases, name) == int(number) for number, name, *_ in rows)


def test_every_phase_has_its_section() -> None:
    sections = set(re.findall(r"^### ([A-Z]+)$", TEXT, re.M))
    assert sections == {name.upper() for name in phases.NAMES} - {"IDLE"}


def test_bonds_at_once() -> None:
    rows = table("preset", "bonds at once", "bonds at once, if censored for all of C")
    assert [name for name, *_ in rows] == list(params.PRESETS)
    for name, *counts in rows:
        preset = params.PRESETS[name]
        for count, seconds in zip(counts, (preset.challenge_period, preset.delay_bound), strict=True):
            bound = params.count_keys(seconds, preset.claim_interval)
            assert count == ("not bounded" if bound is None else str(bound))


def test_constants() -> None:
    modules = (records, keys, leaves, phases, fees, agents, nonces, integers, batch, data)
    for name, value in table("name", "value"):
        found = {getattr(module, name) for module in modules if hasattr(module, name)}
        assert found == {int(value)}, name


def write_field(field: Field) -> str:
    """A field as the tables of inputs show it: "market u16", "owner 20 bytes"."""
    width = f"{field.size} bytes" if field.is_bytes else f"{field.type[0]}{8 * field.size}"
    return f"{field.name} {width}"


@pytest.mark.parametrize(
    ("heading", "is_message", "skipped"),
    [
        (("type", "name", "bytes 13…", "used"), False, 2),
        (("type", "name", "bytes 1…", "used", "from"), True, 0),
    ],
)
def test_input_types_and_their_fields(heading: tuple[str, ...], is_message: bool, skipped: int) -> None:
    rows = {int(number, 0): (name, fields, int(used)) for number, name, fields, used, *_ in table(*heading)}
    types = {number: kind for number, kind in records.TYPES.items() if (number >= records.FIRST_MESSAGE) == is_message}
    assert {number: (name, used) for number, (name, _, used) in rows.items()} == {
        number: (kind.title, kind.size) for number, kind in types.items()
    }
    for number, (_, told, _) in rows.items():
        fields = [write_field(field) for field in types[number].fields]
        if number == records.LEG_PAGE:
            assert told.startswith("from byte 1 on: ") and all(field in told for field in fields)
        elif number == records.SET_MARKET:
            assert told.startswith("as LIST_MARKET;") and fields == [
                write_field(field) for field in types[records.LIST_MARKET].fields
            ]
        else:
            assert re.sub(r" \(.*\)$", "", told) == " · ".join(fields[skipped:])


def test_signed_types() -> None:
    assert {getattr(records, name): text for name, text in table("record", "type string")} == {
        number: kind.type_string for number, kind in records.SIGNED.items()
    }
    assert eip712.DOMAIN_TYPE in " ".join(TEXT.split())


def test_every_record_type_is_refused_or_goes_on_while_the_exchange_winds_down() -> None:
    section = " ".join(TEXT.split("## 21.")[1].split("## 24.")[0].split())
    parts = (
        r"- ([A-Z_, ]+ and [A-Z_]+) are refused `winding_down`",
        r"- ([A-Z_, ]+), BULK with cancels, and DEPOSIT go on",
    )
    refused, going = (set(re.findall(r"[A-Z_]{2,}", re.findall(part, section)[0])) for part in parts)
    types = {kind.title for kind in records.TYPES.values() if kind.number < records.FIRST_MESSAGE}
    assert refused | going | {"BULK", "LEG_PAGE", "CRANK"} == types and not refused & going
    regs = Registers()
    regs.winding_since = 1
    assert {kind.title for kind in records.TYPES.values() if is_refused(regs, kind.number)} == refused


def test_kinds_of_keys() -> None:
    for number, name, _ in table("kind", "name", "body"):
        assert getattr(keys, name) == int(number)


def test_lengths_of_leaves() -> None:
    lengths = dict(re.findall(r"^\| (\w+) \((\d+) bytes\)", TEXT, re.M))
    assert {name.upper() for name in lengths} == {
        "ACCOUNT",
        "ORDER",
        "LEVEL",
        "BITMAP",
        "MARKET",
        "ORACLE",
        "SIGNERS",
        "WITHDRAWAL",
        "AGENT",
        "PARKED",
        "REQUEST",
        "TERMS",
        "ACTIVITY",
    }
    for name, length in lengths.items():
        assert getattr(leaves, f"{name.upper()}_BYTES") == int(length)


def test_header() -> None:
    assert [row[1] for row in table("word", "field", "meaning")] == list(batch.Header.__dataclass_fields__)


def test_the_judge_s_call() -> None:
    (step,) = (entry for entry in compile_contract("judge").abi if entry.get("name") == "step")
    assert f"`judge.step({', '.join(field['name'] for field in step['inputs'])})`" in " ".join(TEXT.split())


def test_the_judge_s_registers() -> None:
    assert f" uint256[{len(FIELDS)}] registers," in TEXT and f"the {len(FIELDS)} static words of section 6" in TEXT


def test_the_fields_of_the_vectors_files() -> None:
    """Every name on the top levels of a file stands in its entry of section 20."""
    section = TEXT.split("## 20. The vectors")[1].split("## 21.")[0]
    for file in VECTORS.glob("*.json"):
        entry = section.split(f"- `{file.name}`: ")[1].split("\n- `")[0].split("\n\n")[0]
        told = set(re.findall(r"\w+", entry))
        for name, value in json.loads(file.read_text()).items():
            sample = value[0] if isinstance(value, list) and value else value
            names = {name} if name != "domain" or file.name == "codec.json" else set()
            if isinstance(sample, dict) and name not in ("domain", "headers"):
                names |= set(sample)
            assert names <= told, (file.name, name, names - told)


def test_calls_of_the_court() -> None:
    abi = compile_contract("court").abi
    calls = {
        entry["name"]: [field["name"] for field in entry["inputs"]]
        for entry in abi
        if entry["type"] == "function" and entry["stateMutability"] in ("payable", "nonpayable")
    }
    told = {}
    for cell, *_ in table("call", "requires", "effect", "money"):
        for name, arguments in re.findall(r"(\w+)\(([^)]*)\)", cell):
            told[name] = arguments.split(", ")
    assert set(told) == set(calls)
    for name, arguments in told.items():
        if arguments[-1] == "…":
            assert calls[name][: len(arguments) - 1] == arguments[:-1]
        else:
            assert calls[name] == arguments


def test_presets() -> None:
    titles = (
        "T",
        "B",
        "β (ppm)",
        "S",
        "n_max",
        "c",
        "gas_price_cap",
        "claim_interval",
        "epoch_batches",
        "listing_delay",
        "silence",
        "wind_down",
    )
    rows = table("preset", *titles)
    told = {name: tuple(map(int, values)) for name, *values in rows}
    assert told == {
        name: (
            preset.challenge_period,
            preset.bond,
            preset.bond_burn_ppm,
            preset.stake,
            preset.stake_claims,
            preset.stake_reward,
            preset.gas_price_cap,
            preset.claim_interval,
            preset.epoch_batches,
            preset.listing_delay,
            preset.silence,
            preset.wind_down,
        )
        for name, preset in params.PRESETS.items()
    }


def test_delays_of_the_presets() -> None:
    rows = table("preset", "C", "κ", "ℓ", "Q", "max_skew", "force_delay", "batch_interval", "backstop_delay")
    assert {name: tuple(map(int, values)) for name, *values in rows} == {
        name: (
            preset.censorship,
            preset.computation,
            preset.inclusion,
            preset.queueing,
            preset.max_skew,
            preset.force_delay,
            preset.batch_interval,
            preset.backstop_delay,
        )
        for name, preset in params.PRESETS.items()
    }


def test_gas_of_the_calls() -> None:
    assert {name: int(gas) for name, gas in table("call", "gas")} == {
        name: getattr(params, f"{name.upper()}_GAS")
        for name in ("join", "move", "timeout", "prove", "install", "settle", "release")
    }


def test_terms_of_the_receipt_bond() -> None:
    rows = table("preset", "receipt_bond", "exit_delay")
    assert {name: (int(bond), int(delay)) for name, bond, delay in rows} == {
        name: (preset.receipt_bond, preset.exit_delay) for name, preset in params.PRESETS.items()
    }


def test_calls_of_the_receipts() -> None:
    calls = {
        entry["name"]: [field["name"] for field in entry["inputs"]]
        for entry in compile_contract("receipts").abi
        if entry["type"] == "function" and entry["stateMutability"] in ("payable", "nonpayable")
    }
    rows = table("call of receipts", "by", "requires", "effect")
    told = [re.fullmatch(r"(\w+)\((.*)\)", call) for call, *_ in rows]
    assert {found[1]: [name for name in found[2].split(", ") if name] for found in told if found} == calls
    assert receipts.RECEIPT_TYPE in TEXT


def test_links_lead_to_sections_and_the_steps_name_known_reasons() -> None:
    for page, text in (("", TEXT), ("RATIONALE.md", RATIONALE)):
        links = set(re.findall(rf"\]\({page}(#[^)]+)\)", TEXT))
        titles = re.findall(r"^## (.+)$", text, re.M)
        assert links == {"#" + re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-") for title in titles}
    for code in re.findall(r"`([a-z]+_[a-z_]+)`", TEXT.split("## 8.")[1].split("## 9.")[0]):
        assert errors.is_known_reason(code) or code in FIELDS, code


def test_the_life_of_an_order_names_every_reason_of_its_steps() -> None:
    section = TEXT.split("## 8.")[1].split("## 9.")[0]
    parts = dict(re.findall(r"^### ([A-Z][a-z A-Z]*)$(.*?)(?=^### |\Z)", section, re.M | re.S))
    told = set(re.findall(r"`([a-z_]+)`", parts["Life of an order"]))
    orders = (
        parts["Fetch"].split("- ORDER:")[1].split("- CANCEL,")[0]
        + parts["Fetch"].split("**Authority.**")[1].split("**Keys.**")[0]
    )
    steps = "".join(parts[name] for name in ("ADMIT", "AMEND", "MARGIN", "MATCH", "PROBE", "NEXT", "UNLINK"))
    reasons = {code for code in re.findall(r"`([a-z_]+)`", orders + steps) if errors.is_known_reason(code)}
    assert len(reasons) > 25 and reasons - told == {"withdrawals_limited"}, "payments pass MARGIN, too"


def test_leaves_and_their_fields() -> None:
    """Every word of a leaf with a layout lists its fields in their order, with their widths, and the padding."""
    words: dict[str, str] = {}
    leaf = ""
    for name, _, contents in table("leaf", "word", "contents"):
        leaf = name.partition(" ")[0] or leaf
        words[leaf] = words.get(leaf, "") + " · " + contents
    for layout in (leaves.ORDER, leaves.LEVEL, leaves.MARKET, leaves.REQUEST):
        told = re.findall(r"\b([a-z]\w*):? ([uia])(\d+)\b", words[layout.leaf.__name__])
        assert [(name, f"{kind}{bits}") for name, kind, bits in told] == [
            (field.name, f"{'i' if field.is_signed else 'u'}{8 * field.size}") for field in layout.fields
        ]
