"""The check of alerts: whether there are addresses, and whether Apprise understands them."""

from invoiced_pipeline.alerts.delivery import read_addresses
from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.invoiced.connection_check import Finding
from invoiced_pipeline.plurals import counted
from invoiced_pipeline.settings import Settings


def check_alerts(settings: Settings) -> Finding:
    """Returns whether alerts are set up; nothing is sent."""
    variable = settings.alerts.urls_env
    if not settings.alert_addresses:
        return Finding("alerts", None, f"not set up: {variable} has no addresses")
    try:
        addresses = read_addresses(settings.alert_addresses)
    except ConfigurationError as error:
        return Finding("alerts", "not installed", str(error))
    unknown = [str(each.number) for each in addresses if each.service is None]
    if unknown:
        detail = (
            f"{variable}: address {', '.join(unknown)} of {len(addresses)} is none that Apprise "
            "understands. Correct it, for example slack://token/token/token/#channel"
        )
        return Finding("alerts", "unknown address", detail)
    services = ", ".join(str(each.service) for each in addresses)
    what = counted(len(addresses), "address", "addresses")
    test = "Test them: invoiced-pipeline alert --test"
    return Finding("alerts", None, f"{what} ({services}). {test}")
