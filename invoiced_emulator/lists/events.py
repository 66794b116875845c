"""Lists events by `related_to`, `type` and `from`, as long as Invoiced keeps them."""

from invoiced_emulator.calls.call import Call, Response
from invoiced_emulator.lists.read_handlers import list_conditions, list_page
from invoiced_emulator.protocol.clock import DAY
from invoiced_emulator.protocol.errors import refused
from invoiced_emulator.records.conditions import Conditions
from invoiced_emulator.records.kinds import KINDS

_TYPE_NAMES = (
    "charge comment contact credit_balance_adjustment credit_note customer dispute email estimate "
    "import invoice letter line_item network_document note payment payment_link payment_plan "
    "payment_source payout promise_to_pay refund subscription task text_message transaction "
    "vendor vendor_credit vendor_payment"
)
_RETENTION = 7 * 365 * DAY
_OBJECT_TYPES = frozenset(_TYPE_NAMES.split())
_SOURCES = frozenset({"team", "customer", "invoiced", "api"})


def list_events(call: Call) -> Response:
    """Handles GET /events."""
    kind = KINDS["events"]
    conditions = list_conditions(call, kind)
    related, type_, source = (call.query.get(name) for name in ("related_to", "type", "from"))
    if isinstance(related, str) and related:
        name, _, record_id = related.partition(",")
        conditions.add(
            "r.key IN (SELECT event FROM event_links WHERE object = ? AND object_id = ?)",
            _object_type(name),
            record_id,
        )
    if isinstance(type_, str) and type_:
        conditions.add("r.label LIKE ?", f"{_object_type(type_)}.%")
    if source in _SOURCES:
        conditions.add("coalesce(json_extract(b.hidden, '$.source'), 'api') = ?", source)
    retained = Conditions()
    retained.add("(r.date IS NULL OR r.date >= ?)", call.shared.clock.now() - _RETENTION)
    return list_page(call, kind, conditions, time_conditions=retained)


def _object_type(name: str) -> str:
    if name not in _OBJECT_TYPES:
        raise refused(f"Object type not recognized: {name}")
    return name
