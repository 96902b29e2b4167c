"""Every exception Leadline raises on purpose, drawn as a tree.

    LeadlineError                 the work failed                          exit code 1
      UsageError                  the call or the configuration is wrong   exit code 2
        ConfigError               faults in leadline.toml, all at once
        GoalsError                faults in goals.csv, all at once
        CostsError                faults in costs.csv, all at once
        MatchesError              faults in matches.csv, all at once
        UnknownNameError          a name that does not exist, with suggestions
        FormulaError              a formula that cannot be read or makes no sense
      SourceError                 a file that cannot be read as asked
        AmbiguousDatesError       day and month cannot be told apart
        SalesforceError           an org that cannot be read as asked
          LoginError              no login, or one that was refused
          OrgUnreachableError     no whole answer came back
          ApiError                an answer that says no, with Salesforce's code
          ApiLimitError           the calls of the day, or our share of them, are used up
          FieldsChangedError      fields that were read before are gone or of another type
          IncompleteError         fewer records came than the org says it has
          PushError               a write-back that may not be, or not as it was planned
      LedgerError                 the store of raw records refused
        WriterBusyError           another process is writing
        LoadOrderError            a load that would rewrite history unasked
        VanishError               a full load that lacks too many known records
      SnapshotError               nothing published, or a damaged snapshot
      IdentityError               merge or conversion pointers that never end
      DependencyError             an optional part is not installed
      OverLimitError              a question that took more time or memory than it may
        PendingError              an answer that is being worked out and was wanted at once
      BusyError                   too many questions at once

Faults in data are not exceptions: they are findings (`leadline.findings`).
A message says what is wrong, where it was looked for, and what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class LeadlineError(Exception):
    """Base of all; `exit_code` is what the command line ends with."""

    exit_code = 1


class UsageError(LeadlineError):
    """The call is wrong: an option, a value, a folder."""

    exit_code = 2


class ConfigError(UsageError):
    """Faults in `leadline.toml`, every one of them with key, value and what to write instead."""

    def __init__(self, path: str, faults: Iterable[str]) -> None:
        self.faults = list(faults)
        lines = "\n".join(f"  - {fault}" for fault in self.faults)
        count = len(self.faults)
        super().__init__(f"{path} has {count} fault{'s' if count != 1 else ''}:\n{lines}")


class GoalsError(UsageError):
    """Faults in `goals.csv`, every one of them with line, column and what to write instead."""

    def __init__(self, path: str, faults: Iterable[str]) -> None:
        self.faults = list(faults)
        lines = "\n".join(f"  - {fault}" for fault in self.faults)
        count = len(self.faults)
        super().__init__(f"{path} has {count} fault{'s' if count != 1 else ''}:\n{lines}")


class CostsError(UsageError):
    """Faults in `costs.csv`, every one of them with line, column and what to write instead."""

    def __init__(self, path: str, faults: Iterable[str]) -> None:
        self.faults = list(faults)
        many = "s" if len(self.faults) != 1 else ""
        super().__init__("\n  - ".join([f"{path} has {len(self.faults)} fault{many}:", *self.faults]))


class MatchesError(UsageError):
    """Faults in `matches.csv`, every one of them with its line and what to write instead."""

    def __init__(self, path: str, faults: Iterable[str]) -> None:
        self.faults = list(faults)
        listed = "".join(f"\n  - {fault}" for fault in self.faults)
        super().__init__(f"{path} has {len(self.faults)} fault{'' if len(self.faults) == 1 else 's'}:{listed}")


class UnknownNameError(UsageError):
    """A name that does not exist where it was looked for."""

    def __init__(self, what: str, name: str, known: Iterable[str], where: str = "") -> None:
        known = sorted(known)
        message = f"There is no {what} {name!r}{f' in {where}' if where else ''}."
        message += did_you_mean(name, known)
        if known:
            message += f" Known: {', '.join(known)}."
        super().__init__(message)


class FormulaError(UsageError):
    """A formula that cannot be read or makes no sense: `reason`, and `column` (from 1; 0 for the whole)."""

    def __init__(self, reason: str, column: int = 0, name: str = "") -> None:
        self.reason = reason
        self.column = column
        place = f", column {column}" if column else ""
        super().__init__(f"Formula{f' {name!r}' if name else ''}{place}: {reason}.")


class SourceError(LeadlineError):
    """A file or folder that cannot be read as asked."""


class AmbiguousDatesError(SourceError):
    """Dates whose day and month cannot be told apart without being told the order."""


class SalesforceError(SourceError):
    """An org that cannot be read as asked."""


class LoginError(SalesforceError):
    """No login is set up, or it was refused."""


class OrgUnreachableError(SalesforceError):
    """No whole answer came back; `cause` is the kind of fault, never a text from outside."""

    def __init__(self, host: str, cause: str) -> None:
        self.cause = cause
        super().__init__(
            f"{host} gave no whole answer ({cause}). Check the connection and the address, and run the command again: "
            "it goes on where it stopped."
        )


class ApiError(SalesforceError):
    """An answer that says no; `code` is Salesforce's."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


class ApiLimitError(SalesforceError):
    """The API calls of the day, or the share of them that is ours, are used up."""


class FieldsChangedError(SalesforceError):
    """Fields that earlier pulls read are gone, hidden or of another type."""


class IncompleteError(SalesforceError):
    """Fewer records came than the org says it has."""


class PushError(SalesforceError):
    """A write-back that may not be, or not as it was planned; nothing was changed unless the message says so."""


class LedgerError(LeadlineError):
    """The ledger refused."""


class WriterBusyError(LedgerError):
    """Another process is writing to this workspace."""

    def __init__(self, workspace: str, holder: str) -> None:
        super().__init__(
            f"The workspace {workspace} is being written by {holder}. "
            "Wait until it ends, or end it if it hangs; nothing was changed by this call."
        )


class LoadOrderError(LedgerError):
    """A load that would rewrite history unasked."""


class VanishError(LedgerError):
    """A full load in which too many known records are absent."""


class SnapshotError(LeadlineError):
    """Nothing is published yet, or a snapshot is damaged."""


class IdentityError(LeadlineError):
    """Merge or conversion pointers that form a chain longer than allowed."""


class DependencyError(LeadlineError):
    """An optional part that is not installed."""


class OverLimitError(LeadlineError):
    """A question took more time or memory than a server gives it."""


class PendingError(OverLimitError):
    """The answer is being worked out and was not there by the time somebody wanted to show it."""


class BusyError(LeadlineError):
    """More questions are waiting than a server takes; the same one may be answered in a moment."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The sentence that names the nearest known name, or an empty string."""
    by_folded = {candidate.casefold(): candidate for candidate in known}
    close = difflib.get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.6)
    return f" Did you mean {by_folded[close[0]]!r}?" if close else ""
