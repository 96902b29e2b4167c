"""The live org of a workspace: connect, pull, look at what can be seen."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leadline import config, locks
from leadline.errors import SalesforceError
from leadline.progress import Progress, Silent
from leadline.workspace.imports import Home, ImportReport, write_config

if TYPE_CHECKING:
    from leadline.sources.salesforce.doctor import Examination
    from leadline.sources.salesforce.marks import Marks
    from leadline.sources.salesforce.pull import Asked, Pulled
    from leadline.sources.salesforce.reading import Reading
    from leadline.sources.salesforce.session import Session, Usage
    from leadline.sources.salesforce.transport import Transport
    from leadline.sources.salesforce.vault import Secret, Vault
    from leadline.sources.salesforce.waiting import Waiting
    from leadline.workspace.known import KnownRecords


@dataclass(frozen=True, slots=True)
class PullReport:
    """The account of a pull.

    Attributes:
        load: what was loaded, found and published, as of any import.
        readings: per object rows, seconds and the way they came.
        resumed: whether it went on with a pull that was cut short.
        used_before: API calls of the org's day before; None where the org does not say.
        usage: API calls afterwards.
    """

    load: ImportReport
    readings: tuple[Reading, ...]
    resumed: bool
    used_before: int | None
    usage: Usage


class Org:
    """The live org; `transport` and `vault` are for tests, which pass objects of their own."""

    def __init__(self, workspace: Home) -> None:
        self._workspace = workspace
        self.transport: Transport | None = None
        self.vault: Vault | None = None
        self.waiting: Waiting | None = None
        self.now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)

    def connect(self, given: Mapping[str, str], secrets: Mapping[str, Secret]) -> tuple[str, str]:
        """Keep a login, try it, and return the ids of org and user.

        Args:
            given: keys of [salesforce] of leadline.toml, none of them secret.
            secrets: by name, kept in the keyring or in a file only its owner can read.

        Raises:
            LoginError: the login was refused; settings and secrets stay as they were before.
            ConfigError: leadline.toml has faults.
        """
        from leadline.sources.salesforce.vault import open_vault

        folder = self._workspace.folder
        text = _with_salesforce(folder / config.FILE_NAME, given)
        settings = config.parse(text).salesforce
        held = self.vault or open_vault(folder, settings.secrets)
        with locks.writing(folder):
            trial = _Trial(held, secrets)
            with self._way() as transport:
                session = self._session(settings, transport, trial)
                found = session.org_id, session.user_id
            trial.keep()
            write_config(folder, text)
        return found

    def pull(self, asked: Asked | None = None, *, build: bool = True, progress: Progress | None = None) -> PullReport:
        """Read what the org has since the last pull into the ledger, and publish a snapshot of it.

        Raises:
            LoginError: no login is set up, or it was refused.
            FieldsChangedError: what was read before cannot be read as it was.
            IncompleteError: the org has more records than it sent.
            VanishError: too many known records are gone.
            ApiLimitError: the calls of the day, or our share of them, are used up.
            SalesforceError: the org cannot be read.
            WriterBusyError: another process is writing to the workspace.
        """
        from leadline.sources.salesforce.pull import Asked

        heard = progress or Silent()
        self._workspace.settings.warehouse.require_own_records()
        with locks.writing(self._workspace.folder), self._way() as transport:
            self._workspace.ledger.finish_pending(progress=heard)
            marks, known = self._settle()
            session = self._session(self._workspace.settings.salesforce, transport, self.vault)
            if marks.org and marks.org != session.org_id:
                raise SalesforceError(
                    f"This workspace holds records of the org {marks.org}; the login leads to {session.org_id}. Pull each "
                    "org into a workspace of its own."
                )
            pulled = self._staged(session, marks, known, asked or Asked(), heard)
            return self._loaded(pulled, build, heard)

    def doctor(self, record: Path | None = None) -> Examination:
        """See what the integration user can and cannot see; nothing is changed, here or there.

        Args:
            record: a file for the answers of the org, with all values masked.

        Raises:
            LoginError: no login is set up.
        """
        from leadline.sources.salesforce import doctor
        from leadline.sources.salesforce.recording import Recorder

        settings = self._workspace.settings
        with self._way() as transport:
            recorder = Recorder(transport)
            session = self._session(settings.salesforce, recorder, self.vault)
            found = doctor.examine(session, settings, self.now())
        if record is not None:
            recorder.save(record)
        return found

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session that counts against our share of the day's API calls, also if what is done with it fails.

        Raises:
            LoginError: no login is set up.
        """
        from leadline.sources.salesforce import budget, marks

        settings = self._workspace.settings.salesforce
        with self._way() as transport:
            session = self._session(settings, transport, self.vault)
            place = marks.of_workspace(self._workspace.folder)
            try:
                budget.allow(session, marks.read(place), settings.api_share, self.now())
                yield session
            finally:
                marks.write(place, marks.read(place).with_calls(self.now(), session.usage.own))

    def _session(self, settings: config.SalesforceSettings, transport: Transport, held: Vault | None) -> Session:
        from leadline.sources.salesforce import connection

        return connection.session(settings, self._workspace.folder, transport, store=held, waiting=self.waiting)

    def _way(self) -> Any:
        from leadline.sources.salesforce.transport import HttpTransport

        return HttpTransport() if self.transport is None else nullcontext(self.transport)

    def _settle(self) -> tuple[Marks, KnownRecords]:
        """The marks that hold: those of a load that was cut short behind its last step hold too."""
        from leadline.sources.salesforce import marks, run
        from leadline.workspace.known import KnownRecords

        folder, known = self._workspace.folder, KnownRecords(self._workspace.ledger)
        place = marks.of_workspace(folder)
        promised = run.promised(folder)
        if promised is not None and promised.load is not None and known.holds(promised.load):
            marks.write(place, promised)
            run.drop(folder)
        kept = marks.read(place)
        if kept.load is not None and not known.holds(kept.load):
            # The ledger is not the one these marks were made with.
            kept = marks.Marks(kept.org, None, {}, kept.calls)
        return kept, known

    def _staged(self, session: Session, kept: Marks, known: KnownRecords, asked: Asked, heard: Progress) -> Pulled:
        from leadline.sources.salesforce import marks
        from leadline.sources.salesforce.pull import Pull

        folder = self._workspace.folder
        try:
            return Pull(session, self._workspace.settings, folder, known, kept, heard, self.now).stage(asked)
        finally:
            # Also a pull that fails has used calls of the day.
            place = marks.of_workspace(folder)
            marks.write(place, marks.read(place).with_calls(self.now(), session.usage.own))

    def _loaded(self, pulled: Pulled, build: bool, heard: Progress) -> PullReport:
        from leadline.sources.salesforce import marks

        workspace, staged = self._workspace, pulled.staged
        place = marks.of_workspace(workspace.folder)
        moved = marks.Marks(pulled.marks.org, pulled.marks.load, pulled.marks.objects, marks.read(place).calls)
        pulled.run.promise(moved)
        # The pull has looked at what vanished, object by object.
        load = workspace.ledger.load(staged, allow_vanish=True, frugal=True, progress=heard)
        marks.write(place, moved)
        pulled.run.discard()
        proposal = None if workspace.settings.funnel else workspace.propose_into_config()
        published = workspace.build(progress=heard) if build else None
        findings = workspace.audit.findings() if published else (*staged.findings, *load.findings)
        report = ImportReport(
            staged.accounts, staged.extracted_at, staged.extracted_at_evidence, load, findings, proposal, published
        )
        return PullReport(report, pulled.readings, pulled.run.resumed, pulled.used_before, pulled.usage)


class _Trial:
    """New secrets before those kept; they are kept once the login has worked."""

    def __init__(self, held: Vault, new: Mapping[str, Secret]) -> None:
        self._held, self._new = held, dict(new)

    def get(self, name: str) -> Secret | None:
        """The new secret of this name, else the one kept."""
        return self._new.get(name) or self._held.get(name)

    def put(self, name: str, secret: Secret) -> None:
        """A token that was exchanged while trying: the one before is void, so it is kept at once."""
        self._new.pop(name, None)
        self._held.put(name, secret)

    def keep(self) -> None:
        """Keep the new ones."""
        for name, secret in self._new.items():
            self._held.put(name, secret)


def _with_salesforce(path: Path, given: Mapping[str, str]) -> str:
    """The text of leadline.toml with these keys in [salesforce]; what else stands there stays."""
    import tomlkit

    document = tomlkit.parse(path.read_text(encoding="utf-8-sig") if path.exists() else "")
    table = document.setdefault("salesforce", tomlkit.table())
    for name, value in given.items():
        table[name] = value
    return tomlkit.dumps(document)
