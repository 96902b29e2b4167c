"""Writing results back into the live org: plans, and what is done with them."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from leadline import config, engines, locks
from leadline.errors import PushError, UsageError
from leadline.progress import Progress, Silent

if TYPE_CHECKING:
    import duckdb

    from leadline.credit_models import Model
    from leadline.model.opened import Opened
    from leadline.sources.salesforce.session import Session
    from leadline.workspace.org import Org
    from leadline.writeback.applying import Applied, Runner
    from leadline.writeback.plan import Plan
    from leadline.writeback.target import Target


class Place(Protocol):
    """What a write-back needs of its workspace."""

    folder: Path
    org: Org

    @property
    def settings(self) -> config.Settings:
        """What leadline.toml says now."""


class Push:
    """Write-back of a workspace; nothing is written but by `apply` and `undo`.

    Args:
        opened: opens the current snapshot.
        known: the credit models by name.
    """

    def __init__(self, place: Place, opened: Callable[[], Opened], known: Callable[[], Mapping[str, Model]]) -> None:
        self._place, self._opened, self._known = place, opened, known

    def influence(
        self, model: str, *, scope: str | None = None, org_model: str | None = None, progress: Progress | None = None
    ) -> Plan:
        """Plan the rows of an own influence model of the org: credit as percentages; nothing is written yet.

        Args:
            model: a credit model of ours.
            scope: whose responses count; default: that of the settings.
            org_model: API name, label or id of the org's model; default: that of [salesforce.push].
            progress: hears of the steps.

        Raises:
            UnknownNameError: a model of ours or of the org, or a scope, that does not exist.
            PushError: the org's model is not ours, or the integration user may not write its rows.
            SalesforceError: the org cannot be read.
        """
        from leadline.writeback import influence, target

        opened, heard = self._opened(), progress or Silent()
        with self._session() as session:
            own = target.own_model(session, org_model or self._place.settings.salesforce.push.org_model)
            about = f"credit by {model} into the influence model {own.label} ({own.id})"
            with self._compared(session, target.influence(session, own), heard) as (con, wanted):
                influence.want(con, opened, wanted, model, self._known(), scope)
                return self._planned(con, wanted, session, opened, "influence", about)

    def members(self, *, funnel: str | None = None, progress: Progress | None = None) -> Plan:
        """Plan the custom fields of campaign members that [salesforce.push.members] allows; nothing is written yet.

        Raises:
            UsageError: the settings allow none.
            UnknownNameError: no funnel or stage of that name.
            PushError: a field is not there, of another type, or not to be written.
            SalesforceError: the org cannot be read.
        """
        from leadline.writeback import members, target

        fields = self._place.settings.salesforce.push.members
        if not fields:
            raise UsageError(
                "No field of CampaignMember may be written. Allow some in leadline.toml: [salesforce.push.members] with lines "
                'such as  MQL_on__c = "MQL"  (the date of a stage) or  Fate__c = "fate".'
            )
        opened, heard = self._opened(), progress or Silent()
        with self._session() as session:
            made = target.members(session, members.forms(fields))
            about = f"{', '.join(fields)} of campaign members"
            with self._compared(session, made, heard) as (con, wanted):
                members.want(con, opened, wanted, fields, funnel)
                return self._planned(con, wanted, session, opened, "members", about)

    def plans(self) -> list[str]:
        """Ids of the plans there are, the newest first."""
        from leadline.writeback import plan

        return plan.known(self._place.folder)

    def plan(self, name: str) -> Plan:
        """A plan by its id.

        Raises:
            UnknownNameError: there is none.
        """
        from leadline.writeback import plan

        return plan.load(self._place.folder, name)

    def apply(self, name: str, *, progress: Progress | None = None) -> Applied:
        """Do a plan, or go on with one that was cut short.

        Raises:
            UnknownNameError: there is no such plan.
            PushError: it was applied before, or org or snapshot have moved since; nothing was changed.
            SalesforceError: as calls do; what was done is known, and the next call goes on.
        """
        with self._runner(progress) as runner:
            return runner.apply(self.plan(name), self._opened().snapshot)

    def undo(self, name: str, *, progress: Progress | None = None) -> Applied:
        """Put back what stood before a plan was applied.

        Raises:
            UnknownNameError: there is no such plan.
            PushError: it was not applied, or its records have changed since; nothing was changed.
            SalesforceError: as `apply`.
        """
        with self._runner(progress) as runner:
            return runner.undo(self.plan(name))

    @contextmanager
    def _session(self) -> Iterator[Session]:
        with locks.writing(self._place.folder), self._place.org.session() as session:
            yield session

    @contextmanager
    def _runner(self, progress: Progress | None) -> Iterator[Runner]:
        from leadline.writeback.applying import Runner

        with self._session() as session:
            yield Runner(session, self._place.settings.salesforce.bulk_from, progress or Silent())

    @contextmanager
    def _compared(
        self, session: Session, target: Target, heard: Progress
    ) -> Iterator[tuple[duckdb.DuckDBPyConnection, Target]]:
        """A connection that knows what stands in the org now."""
        from leadline.writeback import plan, present

        folder = self._place.folder / plan.FOLDER / f".{secrets.token_hex(4)}"
        folder.mkdir(parents=True)
        try:
            with engines.writer(":memory:", spill=folder) as con:
                heard.begin("read what stands in the org", None, "rows")
                bulk_from = self._place.settings.salesforce.bulk_from
                present.read(session, target, folder / "pages", con, bulk_from, heard.advance)
                heard.begin("compare")
                yield con, target
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _planned(
        self, con: duckdb.DuckDBPyConnection, target: Target, session: Session, opened: Opened, what: str, about: str
    ) -> Plan:
        from leadline.sources.salesforce import marks
        from leadline.writeback import planning

        pulled = marks.read(marks.of_workspace(self._place.folder)).org
        if pulled and pulled != session.org_id:
            raise PushError(
                f"This workspace holds records of the org {pulled}; the login leads to {session.org_id}. Nothing is written "
                "into another org."
            )
        money = opened.currency
        facts = planning.Facts(
            what, about, session.org_id, opened.snapshot, money.code, money.digits, self._place.org.now()
        )
        return planning.make(con, self._place.folder, target, facts)
