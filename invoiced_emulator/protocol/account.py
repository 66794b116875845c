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
    count_ttl: int = 300
    """Seconds for which `X-Total-Count` is reused on pages after the first."""
    cursor_ttl: int = 300
    """Seconds for which a served page's last id allows the next page past 10,000 rows."""
    idempotency_ttl: int = 86_400
    event_retention: int | None = 7 * 365 * 86_400
    """Seconds for which events are listed; None keeps them for ever."""
    updated_filter_everywhere: bool = False
    """Plans and items honour `updated_after`, as the reference says and the service does not."""
    documented_plan_options: bool = False
    """Plans accept `quantity_type` and default `interval_count` to 1, as the reference says."""
    adjustment_sign_flips: bool = False
    """Updating a credit balance adjustment without `amount` negates it, as was once observed."""
    autopay_supported: bool = True
    saved_methods: set[str] = field(default_factory=lambda: {"credit_card", "ach"})
    """Payment methods that can be kept on file."""
    link_header: bool = True
    date_header: bool = True
    payment_terms: str | None = None
    """Terms of new customers, e.g. `NET 30`."""
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
