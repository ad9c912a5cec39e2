"""Write the list of all packages, with their hashes, as CycloneDX 1.6: ``python docs/sbom.py > wangge.cdx.json``.

It is read from the lock files alone, so that it says what is installed and needs no network.
"""

from __future__ import annotations

import base64
import json
import re
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

ROOT = Path(__file__).parents[1]
Component = dict[str, Any]


def python_packages(lock: str) -> Iterator[Component]:
    """Yield the packages of ``requirements.lock``; each has the hashes of all its files."""
    entries = re.findall(
        r"^([A-Za-z0-9._-]+)==(\S+)(?: ;[^\\\n]*)? \\\n((?:    --hash=\S+(?: \\)?\n)+)", lock, re.MULTILINE
    )
    for name, version, hashes in entries:
        yield _component(
            name,
            version,
            f"pkg:pypi/{name.lower()}@{quote(version)}",
            re.findall(r"--hash=sha256:(\w+)", hashes),
            "SHA-256",
        )


def npm_packages(lock: str) -> Iterator[Component]:
    """Yield the packages of ``package-lock.json``."""
    for path, entry in json.loads(lock)["packages"].items():
        if path and "version" in entry:
            name = path.rpartition("node_modules/")[2]
            digests = [
                base64.b64decode(text.removeprefix("sha512-")).hex()
                for text in entry.get("integrity", "").split()
                if text.startswith("sha512-")
            ]
            yield {
                **_component(name, entry["version"], f"pkg:npm/{quote(name)}@{entry['version']}", digests, "SHA-512"),
                "scope": "excluded" if entry.get("dev") else "required",
            }


def _component(name: str, version: str, purl: str, digests: list[str], algorithm: str) -> Component:
    return {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
        "hashes": [{"alg": algorithm, "content": digest} for digest in sorted(digests)],
    }


def document() -> dict[str, Any]:
    """Return the whole list; equal lock files give an equal one."""
    found = [
        *python_packages((ROOT / "requirements.lock").read_text(encoding="utf-8")),
        *npm_packages((ROOT / "web/package-lock.json").read_text(encoding="utf-8")),
    ]
    components = sorted({each["bom-ref"]: each for each in found}.values(), key=lambda each: each["bom-ref"])
    content = json.dumps(components, sort_keys=True)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, content)}",
        "version": 1,
        "metadata": {"component": {"type": "application", "bom-ref": "wangge", "name": "wangge", "version": "0.1.0"}},
        "components": components,
    }


if __name__ == "__main__":
    json.dump(document(), sys.stdout, indent=1)
    sys.stdout.write("\n")
