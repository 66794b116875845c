"""Query parameters of single lists, and the parameters that strict lists refuse."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from invoiced_emulator.lists.filter_values import COMPARISONS, as_number
from invoiced_emulator.protocol import query
from invoiced_emulator.protocol.errors import refused, unknown_options
from invoiced_emulator.records.conditions import Conditions, column
from invoiced_emulator.records.kinds import KINDS, ObjectKind
from invoiced_emulator.records.schema import ARCHIVED, FINISHED, SHOWN

_COMMON = (
    "advanced_filter automation exclude expand filter include metadata page paginate per_page "
    "sort updated_after updated_before"
)
PLAIN_OPTIONS = frozenset(_COMMON.split()) - {"automation", "updated_after", "updated_before"}
STRICT_OPTIONS: Mapping[str, frozenset[str]] = {
    "customers": frozenset(
        f"{_COMMON} balance late_fee_schedule_id open_balance owner payment_source".split()
    ),
    "charges": PLAIN_OPTIONS,
    "refunds": PLAIN_OPTIONS,
    "payments": frozenset(f"{_COMMON} amount balance end_date start_date".split()),
}
"""The parameters of strict lists, by collection."""


_OPEN_BALANCE = (
    "EXISTS (SELECT 1 FROM records o JOIN bodies ob USING (collection, key) "
    "WHERE o.customer = r.key AND o.collection = 'invoices' "
    "AND json_extract(ob.body, '$.balance') > 0)"
)


def check_strict(kind: ObjectKind, values: Mapping[str, Any]) -> None:
    """Refuses parameters that a strict list does not define.

    Raises:
        ApiError: 400 with param `query`.
    """
    if not kind.strict:
        return
    defined = STRICT_OPTIONS[kind.collection]
    if unknown := values.keys() - defined:
        raise unknown_options(unknown, defined, "query")
    paginate = values.get("paginate", "offset")
    if paginate not in {"offset", "none"}:
        raise refused(
            f"The option 'paginate' with value '{paginate}' is invalid. "
            "Accepted values are: 'offset', 'none'.",
            "query",
        )


def add_special(conditions: Conditions, kind: ObjectKind, values: Mapping[str, Any]) -> None:
    """Adds the default scope of a list and the parameters of this list alone."""
    if kind.versioned:
        archived = query.integer(values.get("archived")) or 0
        conditions.add(f"r.state = {ARCHIVED if archived else SHOWN}")
    rule = _RULES.get(kind.collection)
    if rule is not None:
        rule(conditions, values)


def _flag(values: Mapping[str, Any], name: str) -> bool | None:
    if name not in values:
        return None
    return as_number(values[name]) != 0


def _subscriptions(conditions: Conditions, values: Mapping[str, Any]) -> None:
    if not _flag(values, "all"):
        canceled, finished = _flag(values, "canceled"), _flag(values, "finished")
        if canceled and finished:
            conditions.add("0")
        state = ARCHIVED if canceled else FINISHED if finished else SHOWN
        conditions.add(f"r.state = {state}")
    if values.get("plan"):
        plan = str(values["plan"])
        conditions.add(
            "(json_extract(b.body, '$.plan') = ? OR EXISTS (SELECT 1 FROM "
            "json_each(b.body, '$.addons') a WHERE json_extract(a.value, '$.plan') = ?))",
            plan,
            plan,
        )
    if (contract := _flag(values, "contract")) is not None:
        missing = "" if contract else "NOT "
        conditions.add(
            f"{missing}(coalesce(json_extract(b.body, '$.contract_renewal_mode'), 'none') "
            "<> 'none' OR json_extract(b.body, '$.contract_period_end') IS NOT NULL)"
        )


def _customers(conditions: Conditions, values: Mapping[str, Any]) -> None:
    kind = KINDS["customers"]
    for name, own in (("owner", "owner"), ("late_fee_schedule_id", "late_fee_schedule_id")):
        wanted = query.integer(values.get(name))
        if wanted == -1:
            conditions.add(f"{column(kind, own)} IS NULL")
        elif wanted:
            conditions.add(f"{column(kind, own)} = ?", wanted)
    tests = {
        "open_balance": _OPEN_BALANCE,
        "balance": f"coalesce({column(kind, 'credit_balance')}, 0) > 0",
        "payment_source": "json_extract(b.body, '$.payment_source') IS NOT NULL",
    }
    _add_tests(conditions, values, tests)


def _invoices(conditions: Conditions, values: Mapping[str, Any]) -> None:
    tests = {
        "payment_attempted": "coalesce(json_extract(b.body, '$.attempt_count'), 0) > 0",
        "payment_plan": "json_extract(b.body, '$.payment_plan') IS NOT NULL",
    }
    _add_tests(conditions, values, tests)
    tags = values.get("tags")
    for tag in tags if isinstance(tags, list) else ():
        conditions.add(
            "EXISTS (SELECT 1 FROM json_each(b.hidden, '$.tags') t WHERE t.value = ?)", str(tag)
        )
    _add_amounts(conditions, KINDS["invoices"], values, ("total", "balance"))


def _transactions(conditions: Conditions, values: Mapping[str, Any]) -> None:
    _add_amounts(conditions, KINDS["transactions"], values, ("amount",))


def _payments(conditions: Conditions, values: Mapping[str, Any]) -> None:
    _add_amounts(conditions, KINDS["payments"], values, ("amount", "balance"))


def _add_tests(conditions: Conditions, values: Mapping[str, Any], tests: Mapping[str, str]) -> None:
    for name, test in tests.items():
        wanted = _flag(values, name)
        if wanted is not None:
            conditions.add(test if wanted else f"NOT ({test})")


def _add_amounts(
    conditions: Conditions, kind: ObjectKind, values: Mapping[str, Any], names: tuple[str, ...]
) -> None:
    for name in names:
        text = values.get(name)
        if not isinstance(text, str) or not text:
            continue
        operator, amount = _amount_condition(text)
        conditions.add(f"{column(kind, name)} {operator} ?", as_number(amount))


def _amount_condition(text: str) -> tuple[str, object]:
    """Parses `["<=",100]`, or a plain amount for equality."""
    try:
        decoded = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return "=", text
    if isinstance(decoded, list) and len(decoded) == 2 and decoded[0] in COMPARISONS:
        return decoded[0], decoded[1]
    return "=", decoded


_RULES: Mapping[str, Callable[[Conditions, Mapping[str, Any]], None]] = {
    "customers": _customers,
    "invoices": _invoices,
    "transactions": _transactions,
    "payments": _payments,
    "subscriptions": _subscriptions,
}
