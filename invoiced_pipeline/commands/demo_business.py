"""A day's changes in the demo's Invoiced."""

import urllib3
from pydantic import SecretStr

from invoiced_pipeline.exceptions import ConfigurationError


def do_business(url: str, api_key: SecretStr) -> str:
    """Makes a day's changes through the API, and returns them in words."""
    pool = urllib3.PoolManager(
        headers=urllib3.make_headers(basic_auth=f"{api_key.get_secret_value()}:")
    )

    def post(path: str, body: object) -> dict[str, object]:
        response = pool.request("POST", f"{url}{path}", json=body, timeout=10)
        if response.status >= 300:
            message = f"POST {path} answered {response.status}: {response.data.decode()[:200]}"
            raise ConfigurationError(message)
        return response.json()

    customer = post("/customers", {"name": "Harbour Street Books", "currency": "usd"})
    lines = [{"name": "Shelving", "quantity": 4, "unit_cost": 129.5}]
    invoice = post(
        "/invoices", {"customer": customer["id"], "payment_terms": "NET 30", "items": lines}
    )
    share = {"type": "invoice", "invoice": invoice["id"], "amount": 118}
    post("/payments", {"customer": customer["id"], "amount": 118, "applied_to": [share]})
    return "a new customer, an invoice of 518.00 and a payment of 118.00"
