"""From the tables of a warehouse to a published snapshot there."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from leadline import publish
from leadline.config import Settings
from leadline.errors import SourceError
from leadline.findings import Finding
from leadline.sources.costs_file import CostsFile
from leadline.sources.matches_file import MatchesFile
from leadline.warehouse.content import content_hash
from leadline.warehouse.engine import Engine, EngineStore, Entry
from leadline.warehouse.mapping import Mapped, known_at, mapped
from leadline.warehouse.opening import on_engine


@dataclass(frozen=True, slots=True)
class Made:
    """A published snapshot, and the numbers known after it; `repeated` if this very state was published before."""

    entry: Entry
    numbers: dict[str, int]
    repeated: bool


def build(
    engine: Engine,
    settings: Settings,
    *,
    numbers: dict[str, int],
    config_hash: Callable[[dict[str, int]], str],
    spent: CostsFile | None = None,
    matches: MatchesFile | None = None,
    progress: Callable[[str], None] | None = None,
) -> Made:
    """Build the model from the loader's tables and switch readers to it.

    Args:
        numbers: learned numbers known before; they are kept as they are.
        config_hash: one hash of the settings and of numbers.

    Raises:
        SourceError: the tables cannot be read as objects of Salesforce, or hold no moment.
        WriterBusyError: another process is publishing.
    """
    with engine.writing():
        draft = engine.draft(secrets.token_hex(6))
        engine.begin(draft)
        made = mapped(engine, settings)
        moment = _moment(engine, made)
        store = EngineStore(engine, draft, progress=progress)
        findings, settings_here = _compared(settings)
        _, learned = publish.fill(
            store,
            made.source,
            settings_here,
            moment,
            numbers=numbers,
            findings=findings,
            spent=spent,
            matches=matches,
            spill=None,
            facts={"loads": "[]", "engine": settings.warehouse.engine},
            opened=lambda opened: on_engine(opened, engine),
        )
        return _placed(engine, draft, store, learned, config_hash(learned))


def _moment(engine: Engine, made: Mapped) -> dt.datetime:
    found = engine.backend.to_pyarrow(known_at(made)).to_pylist()[0]["known_at"]
    if found is None:
        raise SourceError(
            "No row of the warehouse says when it was loaded or changed, so known-at is unknown. "
            "Name a column with the time of loading as `synced` under [warehouse]."
        )
    aware: dt.datetime = found.replace(tzinfo=dt.UTC)
    return aware


def _compared(settings: Settings) -> tuple[tuple[Finding, ...], Settings]:
    """People are not compared in a warehouse: said in a finding, and switched off."""
    if not settings.matching.duplicates:
        return (), settings
    matching = settings.matching.model_copy(update={"duplicates": False})
    told = Finding(
        "duplicates-not-compared",
        "info",
        "Possible duplicates are not looked for in a warehouse: comparing people would bring all of them to this machine.",
        remedy="Set duplicates = false under [matching], or look for them with engine = 'duckdb'.",
    )
    return (told,), settings.model_copy(update={"matching": matching})


def _placed(engine: Engine, draft: str, store: EngineStore, learned: dict[str, int], config: str) -> Made:
    """Hash what was built, name it and publish it."""
    meta = {row["key"]: row["value"] for row in store.rows(store["_meta"])}
    content = content_hash(engine.hashed, {name: engine.table(name, draft) for name in engine.names(draft)})
    meta |= {"content_hash": content, "definitions": publish.DEFINITION_VERSION, "config": config}
    identity = json.dumps([content, meta["as_of"], meta["known_at"], meta["definitions"], config])
    at = dt.datetime.fromisoformat(meta["known_at"])
    key = f"{at:%Y%m%dT%H%M%SZ}-{hashlib.sha256(identity.encode()).hexdigest()[:10]}"
    meta |= {"snapshot": key, "id": key}
    listed = engine.listed()
    entry = Entry(key, 1 + max((one.sequence for one in listed), default=0), meta)
    engine.place(draft, entry)
    return Made(entry, learned, any(one.id == key for one in listed))
