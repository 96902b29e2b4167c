"""The command `roles`: who probably took part where nobody has a contact role."""

from __future__ import annotations

from leadline.cli.options.credit import OneOpportunity, Top
from leadline.cli.options.question import AsOf, Form, Place


def roles(place: Place, form: Form, top: Top = 3, opportunity: OneOpportunity = None, as_of: AsOf = None) -> None:
    """Contacts to give a role to, ranked, for opportunities without any; what each scope reaches in money."""
    from leadline import workspace
    from leadline.cli.deliver import deliver

    found = workspace.open(place.workspace).metrics.suggested_roles(top=top, opportunity=opportunity, as_of=as_of)
    deliver(found, form)
