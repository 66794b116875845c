"""Numbers of customers and documents, such as `INV-00042`."""

from invoiced_emulator.calls.call import Call
from invoiced_emulator.protocol.errors import refused


def number_is_taken(call: Call, collection: str, number: str, record_id: object) -> bool:
    """Whether another record of the collection has this number."""
    sql = "SELECT key FROM records WHERE collection = ? AND label = ? AND key <> ? LIMIT 1"
    own = record_id if isinstance(record_id, int) else 0
    return bool(call.shared.store.rows(sql, (collection, number, own)))


def next_number(call: Call, collection: str, prefix: str) -> str:
    """Returns the next free number of a collection, e.g. `INV-00042`.

    Raises:
        ApiError: 400 when a hundred numbers in a row are taken.
    """
    store = call.shared.store
    sql = (
        "SELECT max(CAST(substr(label, ?) AS INTEGER)) FROM records "
        "WHERE collection = ? AND label GLOB ?"
    )
    sequence = f"number:{collection}"
    started = store.rows("SELECT 1 FROM sequences WHERE name = ?", (sequence,))
    highest = 0
    if not started:
        # Seeded and loaded records have numbers: the first new one follows the highest.
        pattern = f"{prefix}[0-9]*"
        highest = store.rows(sql, (len(prefix) + 1, collection, pattern))[0][0] or 0
    for _ in range(100):
        number = f"{prefix}{store.next_value(sequence, above=highest):05d}"
        if not number_is_taken(call, collection, number, None):
            return number
    raise refused(f"Could not generate a number for {collection}", "number")
