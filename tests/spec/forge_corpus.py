#!/usr/bin/env python3
"""Write the forged files of corpus/bad, corpus/good and corpus/crash, which forge_bad.py and
forge_good.py make.

    forge_corpus.py             write the files
    forge_corpus.py --check     say which of them are not as they would be written

The bytes follow from these scripts alone; made again, they are the same.
"""

import os
import sys

from forge_bad import BAD
from forge_good import CRASH, GOOD

CORPUS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "corpus")


def files():
    for folder, makers in (("bad", BAD), ("good", GOOD), ("crash", CRASH)):
        for name, make in makers.items():
            yield os.path.join(CORPUS, folder, name + ".evs"), bytes(make().data)


def main():
    wrong = 0
    for path, data in files():
        if "--check" not in sys.argv:
            with open(path, "wb") as f:
                f.write(data)
            continue
        with open(path, "rb") as f:
            if f.read() != data:
                print(f"{path} is not as forge_corpus.py makes it")
                wrong = 1
    return wrong


if __name__ == "__main__":
    sys.exit(main())
