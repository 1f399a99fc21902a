"""Where the inputs of a fuzz target lie, for tests/check, which replays them, and
tests/fuzz/run."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SEGMENTS = {"segment"}  # targets that take whole segment files


def folders(target):
    name = Path(target).name.removeprefix("fuzz_")
    found = [ROOT / "tests/fuzz/seeds" / name]
    if name in SEGMENTS:
        found += [ROOT / "corpus" / f for f in ("good", "bad", "crash")]
    return [str(f.relative_to(ROOT)) for f in found if f.is_dir()]
