"""Serve a double until the standard input ends: `python -m leadline_double [--files FOLDER] [--members N] [--plain]`.

One line of JSON tells where it is and how to log in.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from leadline_double.loading import org_of_files
from leadline_double.org import Org
from leadline_double.prepared import Prepared, member_rows
from leadline_double.server import Double, key_pair, serve
from leadline_double.tokens import ConnectedApp


def main() -> None:
    """Serve as the command line says."""
    parser = argparse.ArgumentParser(
        prog="python -m leadline_double", description="A double of a Salesforce org on loopback."
    )
    parser.add_argument("--files", type=Path, help="folder of Object.csv in API form, e.g. of `leadline demo`")
    parser.add_argument("--members", type=int, default=0, help="serve so many ready-made campaign members")
    parser.add_argument("--plain", action="store_true", help="without TLS")
    wish = parser.parse_args()
    org = org_of_files(wish.files) if wish.files else Org()
    app = ConnectedApp(public_key=key_pair().public, users=(org.user_name,))
    with serve(org, app, tls=not wish.plain) as double:
        if wish.members:
            double.service.prepared["CampaignMember"] = Prepared(member_rows(wish.members))
        print(json.dumps(_facts(double)), flush=True)
        sys.stdin.read()


def _facts(double: Double) -> dict[str, str | None]:
    return {
        "url": double.url,
        "ca_file": str(double.ca_file) if double.ca_file else None,
        "access_token": double.token(),
        "refresh_token": double.service.tokens.refresh_token_for(double.app),
        "consumer_key": double.app.consumer_key,
        "consumer_secret": double.app.consumer_secret,
        "private_key": key_pair().private.decode(),
        "user_name": double.org.user_name,
    }


if __name__ == "__main__":
    main()
