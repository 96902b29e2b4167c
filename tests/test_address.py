"""An address is read back as it was written, whatever values it holds."""

from __future__ import annotations

import random

import pytest

from leadline.address import Address, ordered, parse
from leadline.errors import UsageError
from tests.scale import scaled

SIGNS = "aZ09 _-.,=&#@?%+'\"\\/äßЖ中😀\u200f\t\n"


def drawn(rng: random.Random) -> Address:
    """An address with values of any signs."""

    def text() -> str:
        return "".join(rng.choice(SIGNS) for _ in range(rng.randint(1, 8)))

    question = [("where", f"dim{at}={text()}") for at in range(rng.randint(0, 2))]
    question += [(name, text()) for name in rng.sample(["unit", "view", "by", "model", "from"], rng.randint(0, 3))]
    cell = tuple((f"k{at}", rng.choice([None, text()])) for at in range(rng.randint(0, 3)))
    return Address(rng.choice(["volume", "conversion_matrix"]), ordered(question), "count", cell)


def test_what_is_written_is_read_back():
    rng = random.Random(5)
    for _ in range(scaled(2000)):
        address = drawn(rng)
        assert parse(str(address)) == address, str(address)


def test_an_address_reads_like_the_contract():
    address = Address(
        "conversion",
        ordered([("where", "industry=Media & Co"), ("by", "campaign_type,industry"), ("unit", "people")]),
        "rate",
        (("campaign_type", "Trade show"), ("industry", None)),
    )
    assert str(address) == (
        "conversion?unit=people&by=campaign_type,industry&where=industry=Media %26 Co#rate@campaign_type=Trade show,industry="
    )
    assert str(address.table) == "conversion?unit=people&by=campaign_type,industry&where=industry=Media %26 Co"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "begins with no metric"),
        ("#rate", "begins with no metric"),
        ("volume?unit", "write NAME=VALUE"),
        ("volume#", "names no column"),
        ("volume#count@stage", "write COLUMN=VALUE"),
    ],
)
def test_what_is_no_address_is_refused(text: str, said: str):
    with pytest.raises(UsageError, match=said):
        parse(text)
