"""The company whose account the emulator keeps: its settings and what it has bought."""

from dataclasses import dataclass, field
from zoneinfo import ZoneInfo


@dataclass(slots=True, kw_only=True)
class Account:
    """Settings of the emulated account; mutable, so that a test can change its mind."""

    company: str = "emulator"
    """Company username: the user name of the username + key form of authentication."""
    timezone: str = "UTC"
    country: str = "US"
    currency: str = "usd"
    features: set[str] = field(default_factory=lambda: {"subscription_billing"})
    forbidden: set[str] = field(default_factory=set)
    """Collections, such as `invoices` or `events`, whose routes answer 403, as they do to a key
    whose user may not see them."""
    request_limit: int = 20
    """Requests in flight per API key before 429."""
    updated_filter_everywhere: bool = False
    """Plans and items honour `updated_after`, as the reference says and the service does not."""
    autopay_supported: bool = True
    link_header: bool = True
    date_header: bool = True
    members: set[int] = field(default_factory=set)
    """Ids of users who may own customers and tasks."""
    former_members: set[int] = field(default_factory=set)
    """Ids of users who exist and are not members."""
    daily_documents: int | None = None
    """Invoices, credit notes and estimates that may be created in a day; None: no quota."""
    invoices_new_subscriptions: bool = True
    """A subscription billed in advance issues its first invoice when it is created."""
    retry_after: int | None = None
    """Seconds sent as `Retry-After` with 429 and 503; the service sends none."""

    @property
    def zone(self) -> ZoneInfo:
        """The company's time zone."""
        return ZoneInfo(self.timezone)
