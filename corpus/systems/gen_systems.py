#!/usr/bin/env python3
"""Write rows and expectations for every table of the five systems: gen_systems.py [FOLDER]

Below FOLDER (default: the one this file is in), for each SYSTEM and TABLE:

    SYSTEM/rows/TABLE.ndjson             lines for `evappend --now NOW`, good and bad ones mixed
    SYSTEM/expect/TABLE.ndjson           the rows that must come back, in any order; nulls are left
    out SYSTEM/expect/TABLE.rejects.ndjson   number of each line that must be refused, and words of
    the reason SYSTEM/expect/TABLE.segments         TENANT/SEGMENT of each file that must be there

NOW stands in the file `now`. In expected rows "<uuid4>" stands for any version 4 UUID, and
"<serial>" for a number that the writer gives, rising with the lines. The output is always the same;
the rules are in gen/rows.py, the rows in one module for each system. No code is shared with evseg.
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "gen"))
sys.dont_write_bytecode = True

import hatchet
import lightbulb
import mbflow
import meshhook
import watchllm
from rows import NOW

SYSTEMS = {
    "hatchet": hatchet, "watchllm": watchllm, "lightbulb": lightbulb, "meshhook": meshhook,
    "mbflow": mbflow
}


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "now").write_text(NOW + "\n")
    for system, module in SYSTEMS.items():
        for table in module.tables():
            table.write(folder / system)


if __name__ == "__main__":
    main()
