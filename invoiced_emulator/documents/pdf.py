"""Serves documents and payments as PDF for `Accept: application/pdf`."""

from invoiced_emulator.calls.call import Call, Handler, Response
from invoiced_emulator.lists.read_handlers import visible_key
from invoiced_emulator.records.kinds import KINDS

PDF = "application/pdf"
PRINTED = frozenset({"invoices", "credit_notes", "estimates", "payments"})
"""Collections whose records have a PDF."""


def pdf_handler(collection: str, handler: Handler) -> Handler:
    """Wraps the handler of a single record so that it also serves the PDF."""

    def handle(call: Call) -> Response:
        if PDF not in call.accept:
            return handler(call)
        kind = KINDS[collection]
        key = visible_key(call, kind, call.arguments[-1])
        record = call.shared.store.at(collection, key) or {}
        title = f"{record.get('name') or kind.title} {record.get('number') or key}"
        return Response(200, page(title), {"Content-Type": PDF})

    return handle


def page(text: str) -> bytes:
    """Returns a PDF page with one line of text (Latin-1; other characters become `?`)."""
    line = text.encode("latin-1", "replace")
    for character in (b"\\", b"(", b")"):
        line = line.replace(character, b"\\" + character)
    content = b"BT /F1 18 Tf 72 720 Td (" + line + b") Tj ET"
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R"
        b"/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    )
    document, offsets = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(document))
        document += b"%d 0 obj%s endobj\n" % (number, body)
    start = len(document)
    document += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    document += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    document += b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (
        len(objects) + 1,
        start,
    )
    return bytes(document)
