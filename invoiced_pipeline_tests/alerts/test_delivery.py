"""Messages over real HTTP and SMTP."""

import logging
import sys

import pytest
from pydantic import SecretStr

from invoiced_pipeline.alerts.delivery import read_addresses
from invoiced_pipeline.alerts.message import Message
from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline_tests.inboxes import TOKEN, free_port, mailbox, webhook

MESSAGE = Message("invoiced_pipeline: Acme <Europe>", "Not loaded: customers.\n\nEnd.", "failure")


def test_webhook_and_mail_get_the_text() -> None:
    with webhook() as hook, mailbox() as mails:
        addresses = read_addresses([SecretStr(hook.address), SecretStr(mails.address)])
        assert [str(each) for each in addresses] == ["address 1 (JSON)", "address 2 (E-Mail)"]
        assert [each.send(MESSAGE) for each in addresses] == [True, True]
    (posted,) = hook.messages
    assert (posted["title"], posted["message"], posted["type"]) == (
        MESSAGE.title,
        MESSAGE.body,
        "failure",
    )
    assert {each["X-Recipients"] for each in mails.mails} == {
        "night@example.com",
        "day@example.com",
    }
    for mail in mails.mails:
        assert (mail["Subject"], mail["From"]) == (MESSAGE.title, "pipeline@example.com")
        assert mail.get_content().splitlines() == ["Not loaded: customers.", "", "End."]


def test_a_server_that_is_down_or_refuses(caplog: pytest.LogCaptureFixture) -> None:
    """No log has the address, which contains a token."""
    caplog.set_level(logging.DEBUG)
    with webhook() as hook:
        hook.is_up = False
        gone = f"json://user:{TOKEN}@127.0.0.1:{free_port()}/{TOKEN}"
        texts = [hook.address, gone, f"nothing-like-this://{TOKEN}"]
        addresses = read_addresses([SecretStr(each) for each in texts])
        assert [each.send(MESSAGE) for each in addresses] == [False, False, False]
        assert hook.refused == 1
    assert str(addresses[2]) == "address 3 (not understood)"
    ours = [each.getMessage() for each in caplog.records if not each.name.startswith("urllib3")]
    assert TOKEN not in "".join([*ours, *map(str, addresses), repr(addresses)])


def test_without_apprise_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'invoiced-pipeline\[alerts\]'"):
        read_addresses([SecretStr("json://localhost")])
