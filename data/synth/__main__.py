"""``python -m data.synth [--seed N] [--out FOLDER]``: make the demo city again."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from data.synth import DEFAULT_SEED, generate
from data.synth.write import write

OUT = Path(__file__).parents[1] / "samples" / "demo"


def main() -> None:
    """Generate, write, and say what was written."""
    parser = argparse.ArgumentParser(prog="python -m data.synth", description="Make the synthetic demo city.")
    parser.add_argument(
        "--seed", type=int, default=DEFAULT_SEED, help="another seed is another city (default %(default)s)"
    )
    parser.add_argument("--out", type=Path, default=OUT, help="folder to write to (default data/samples/demo)")
    options = parser.parse_args()
    frames, truth = generate(options.seed)
    size = write(options.out, frames, truth)
    if options.out.resolve() != OUT:
        shutil.copyfile(OUT / "city.toml", options.out / "city.toml")
    for name, frame in frames.items():
        print(f"{name:12} {len(frame):7,}")  # noqa: T201 - what the command is for
    print(f"{len(truth['hotspots'])} planted hotspots, {size / 1e6:.1f} MB in {options.out}")  # noqa: T201


if __name__ == "__main__":
    main()
