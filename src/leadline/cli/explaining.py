"""Commands behind the numbers: explain one, tell a person's or an opportunity's story, freeze a state, compare two."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from leadline.cli.console import progress, say
from leadline.cli.options.question import AsOf, Form, FunnelOf, Place
from leadline.cli.options.story import (
    ComparedAsOf,
    ComparedMetrics,
    DealRecord,
    FieldName,
    FrozenName,
    FrozenNote,
    FrozenSnapshot,
    ListedChange,
    NumberAddress,
    OwnMoments,
    PersonRecord,
    StateAfter,
    StateBefore,
    StoryForm,
)
from leadline.errors import UsageError

if TYPE_CHECKING:
    from leadline.explain import Explanation
    from leadline.explain.stories import Story


def explain(place: Place, form: StoryForm, address: NumberAddress = None, field: FieldName = None) -> None:
    """Where a number comes from: in words, its formula, steps, fields, loads, faults, the value before, the SQL."""
    from leadline import workspace

    if (address is None) == (field is None):
        raise UsageError(
            "Explain which number? Give its address, e.g. 'volume#count@stage=MQL', or --field OBJECT.FIELD."
        )
    home = workspace.open(place.workspace)
    if field is not None:
        from leadline.cli.behind import field_text

        found = home.field(field)
        _write(form, found.to_json(), field_text(found))
    elif address is not None and "#" not in address:
        from leadline.cli.behind import addresses_text

        table = home.metrics.ask(address)
        _write(form, table.to_json(), addresses_text(table))
    else:
        _tell(form, home.explain(address or ""))


def journey(place: Place, form: StoryForm, person: PersonRecord, as_of: AsOf = None, funnel: FunnelOf = None) -> None:
    """The whole story of a person: records, responses with fates, stages with evidence, roles, opportunities, credit."""
    from leadline import workspace

    _tell(form, workspace.open(place.workspace).journey(person, as_of=as_of, funnel=funnel))


def opportunity(place: Place, form: StoryForm, id: DealRecord, as_of: AsOf = None, funnel: FunnelOf = None) -> None:
    """The whole story of an opportunity: stages, people and their responses, credit under every model."""
    from leadline import workspace

    _tell(form, workspace.open(place.workspace).opportunity(id, as_of=as_of, funnel=funnel))


def freeze(place: Place, name: FrozenName, note: FrozenNote = "", snapshot: FrozenSnapshot = "current") -> None:
    """Keep a snapshot for good under a name, with its settings, goals, costs and models."""
    from leadline import workspace

    made = workspace.open(place.workspace).freeze(name, note=note, snapshot=snapshot)
    say(f"Snapshot {made.snapshot} is kept for good as {made.name}. Ask it with --snapshot {made.name}.")
    if not made.files:
        say("leadline.toml is not that of the snapshot any more, so only the settings inside the snapshot were kept.")


def diff(
    place: Place,
    form: Form,
    before: StateBefore = "previous",
    after: StateAfter = "current",
    metric: ComparedMetrics = None,
    as_of: ComparedAsOf = None,
    own_moments: OwnMoments = False,
    listing: ListedChange = False,
) -> None:
    """What changed every number between two states, in parts that add up: deleted, new, changed, rates, definitions."""
    from leadline import workspace
    from leadline.cli.deliver import deliver

    with progress() as shown:
        found = workspace.open(place.workspace).diff(
            before,
            after,
            metrics=metric or (),
            as_of=as_of,
            own_moments=own_moments,
            listing=listing,
            progress=shown,
        )
    deliver(found, form)


def _tell(form: StoryForm, found: Explanation | Story) -> None:
    """Write an explanation or a story as JSON or as text."""
    from leadline.cli.behind import explanation_text, story_text
    from leadline.explain import Explanation

    text = explanation_text(found) if isinstance(found, Explanation) else story_text(found)
    _write(form, found.to_json(), text)


def _write(form: StoryForm, as_json: str, as_text: str) -> None:
    ending = form.output.suffix.lower() if form.output else ""
    chosen = form.format or ("json" if ending == ".json" else "text")
    text = as_json if chosen == "json" else as_text
    text = text if text.endswith("\n") else text + "\n"
    if form.output is None:
        sys.stdout.write(text)
        return
    form.output.write_text(text, encoding="utf-8")
    say(f"Written: {form.output}")
