"""Settings and features of the emulated account."""

from dataclasses import dataclass, field
from zoneinfo import ZoneInfo


@dataclass(slots=True, kw_only=True)
class Account:
    """Settings of the emulated account; a test may change them at any time."""

    company: str = "emulator"
    """User name when a request authenticates with company name and key."""
    timezone: str = "UTC"
    country: str = "US"
    currency: str = "usd"
    features: set[str] = field(default_factory=lambda: {"subscription_billing"})
    forbidden: set[str] = field(default_factory=set)
    """Collections, such as `invoices` or `events`, whose routes return 403, as for a user who may
    not see them."""
    request_limit: int = 20
    """Requests that an API key may have in flight; more return 429."""
    updated_filter_everywhere: bool = False
    """Whether plans and items honour `updated_after`: so the API reference, unlike Invoiced."""
    autopay_supported: bool = True
    link_header: bool = True
    date_header: bool = True
    members: set[int] = field(default_factory=set)
    """Ids of users who may own customers and tasks."""
    former_members: set[int] = field(default_factory=set)
    """Ids of users who exist but are not members."""
    daily_documents: int | None = None
    """Invoices, credit notes and estimates that may be created per day; None for no quota."""
    invoices_new_subscriptions: bool = True
    """Whether a subscription billed in advance issues its first invoice when it is created."""
    retry_after: int | None = None
    """Seconds sent as `Retry-After` with 429 and 503; Invoiced sends none."""

    @property
    def zone(self) -> ZoneInfo:
        """The company's time zone."""
        return ZoneInfo(self.timezone)
